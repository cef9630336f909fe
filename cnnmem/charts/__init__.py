"""Charts as data, and the painters that draw them.

Each kind of chart is one file: its data, alt text, text twin and marks. :mod:`.svg` draws marks
for the screen, :mod:`.mpl` for print.

>>> from . import Series, StackedBars, svg
>>> tiny = StackedBars("Tiny", ("conv", "fc"), (Series("weights", (27, 81)),), "parameters")
>>> svg.draw(tiny).startswith("<svg")
True

Only :mod:`.mpl` imports matplotlib.
"""

from .bars import StackedBars
from .chart import Chart
from .dial import Dial
from .heatmap import HeatMap
from .series import Group, Marker, Series
from .timeline import Timeline
from .waterfall import Waterfall

__all__ = [
    "Chart",
    "Dial",
    "Group",
    "HeatMap",
    "Marker",
    "Series",
    "StackedBars",
    "Timeline",
    "Waterfall",
]
