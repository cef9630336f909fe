"""The steps between two totals as a waterfall."""

from __future__ import annotations

from cnnmem.charts import Waterfall
from cnnmem.count.reconciliation import Reconciliation


def waterfall_of(found: Reconciliation) -> Waterfall:
    """Return the steps of a reconciliation as a chart.

    >>> from cnnmem import reconcile, summary
    >>> table = summary("vgg16")
    >>> chart = waterfall_of(reconcile(table.total("parameters-mb"), table.total("parameters-mib")))
    >>> [name for name, _ in chart.steps]
    ['MiB instead of MB']
    """
    start, end = found.start, found.end
    units = (start.unit.name, end.unit.name)
    return Waterfall(
        f"From {start.label} to {end.label}",
        (start.label, start.value),
        tuple((step.name, step.delta) for step in found.steps),
        (end.label, end.value),
        units[1] if units[0] == units[1] else "as printed",
        end_units=units,
        unexplained=frozenset(i for i, s in enumerate(found.steps) if s.stage == "unexplained"),
    )
