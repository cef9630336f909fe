"""What a training step needs, layer by layer, as bars."""

from __future__ import annotations

from cnnmem.charts import StackedBars
from cnnmem.count.budget import Budget

from .colours import series as series_of
from .layer_bars import groups_of

_SERIES = (
    ("parameters", "parameters"),
    ("optimizer state", "state"),
    ("gradients", "gradients"),
    ("kept for backward", "kept"),
    ("weights in bfloat16", "copies"),
)


def per_layer(of: Budget, title: str = "", images: bool = True) -> StackedBars:
    """Return what each layer adds to a training step as bars; layers that add nothing have none.

    Without `images`, what is kept for backward is left out, and so are autocast's copies of the
    weights, which backward keeps with it.

    >>> from cnnmem import zoo
    >>> from cnnmem.count.budget import budget
    >>> per_layer(budget(zoo.lenet5())).total == budget(zoo.lenet5()).total
    True
    """
    series = [(name, field) for name, field in _SERIES if getattr(of, field)]
    if not images:
        series = [(name, field) for name, field in series if field not in ("kept", "copies")]
    parts = [part for part in of.parts if any(getattr(part, field) for _, field in series)]
    return StackedBars(
        title or f"{of.table.network}, batch {of.table.batch}: a training step by layer",
        tuple(part.name for part in parts),
        tuple(series_of(name, [getattr(part, field) for part in parts]) for name, field in series),
        "MB",
        10**6,
        base_unit="bytes",
        groups=groups_of(parts),
        quantity="training step" if images else "network's part",
    )
