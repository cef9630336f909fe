"""Memory over time as a chart."""

from __future__ import annotations

from cnnmem.charts import Group, Marker, Timeline
from cnnmem.count.training import MemoryTimeline, Moment, Phase

from .colours import series as series_of

# What a moment is called on a chart: forward runs to the right, backward comes back.
ARROWS: dict[Phase, str] = {"forward": "→ ", "backward": "← ", "optimizer": "optimizer"}


def timeline_of(
    line: MemoryTimeline, parameters: bool = True, markers: tuple[Marker, ...] = ()
) -> Timeline:
    """Return the moments as a chart in MB, with or without what belongs to the parameters.

    >>> from cnnmem import summary, training
    >>> timeline_of(training.inference(summary("lenet5"))).categories[:2]
    ('→ conv1', '→ tanh1')
    """
    moments = line.moments
    columns = {
        "kept for backward": [m.kept for m in moments],
        "working tensors": [m.working for m in moments],
    }
    if parameters:
        columns = {
            "parameters": [m.parameters for m in moments],
            "optimizer state": [m.state for m in moments],
            "gradients": [m.gradients for m in moments],
            **columns,
        }
    return Timeline(
        line.title,
        tuple(f"{ARROWS[m.phase]}{m.layer}" for m in moments),
        tuple(series_of(name, c) for name, c in columns.items() if any(c)),
        "MB",
        scale=10**6,
        base_unit="bytes",
        groups=_phases(moments),
        markers=markers,
    )


def _phases(moments: tuple[Moment, ...]) -> tuple[Group, ...]:
    phases = [m.phase for m in moments]
    return tuple(
        Group(name, phases.index(name), phases.index(name) + phases.count(name))
        for name in dict.fromkeys(phases)
    )
