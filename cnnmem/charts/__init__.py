"""One chart described as data; :mod:`.svg` draws it live, :mod:`.mpl` for print.

>>> from . import Series, StackedBars, svg
>>> tiny = StackedBars("Tiny", ("conv", "fc"), (Series("weights", (27, 81)),), "parameters")
>>> svg.draw(tiny).startswith("<svg")
True

matplotlib is imported by :mod:`cnnmem.charts.mpl` alone.
"""

from .data import Chart, Group, Marker, Series, StackedBars, Timeline, Waterfall
from .dial import Dial
from .heatmap import HeatMap
from .sketch import Picture, Sketch

__all__ = [
    "Chart",
    "Dial",
    "Group",
    "HeatMap",
    "Marker",
    "Picture",
    "Series",
    "Sketch",
    "StackedBars",
    "Timeline",
    "Waterfall",
]
