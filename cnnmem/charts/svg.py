"""Draw a chart as SVG: live in a widget, or as a picture of its own.

The live drawing follows the page's text colour; a chart of 22 bars takes a fraction of a
millisecond, so that a slider feels attached to it.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from fractions import Fraction

from cnnmem.errors import CnnmemError

from .format import Real
from .marks import Drawable, Frame
from .svg_marks import TOOLTIPS, Canvas, escape, paint, patterns
from .theme import FONT, INK, PAPER, PAPER_SOLID, PATTERNS, PRINT_INK, PRINT_PAPER, TEXT

_XMLNS = "http://www.w3.org/2000/svg"
_WIDEST = 1.35  # a drawing grows with the page up to this many times its own width


def _render(
    chart: Drawable,
    width: int,
    height: int,
    id_prefix: str,
    picture: bool,
    foot: float,
    light: bool = False,
) -> str:
    if not re.fullmatch(r"[A-Za-z][\w-]*", id_prefix, re.ASCII):
        raise CnnmemError(
            f"id_prefix: {id_prefix!r}; start with a letter, then use letters, digits or -"
        )
    if width < 480 or height < 220:
        raise CnnmemError(f"width, height: {width} x {height}; names need at least 480 x 220")
    canvas = Canvas(id_prefix, PRINT_PAPER if picture else PAPER, light)
    marks, height = chart.marks(Frame(float(width), float(height), foot))
    alt, title = escape(chart.alt), escape(chart.title)
    if picture:
        size = f'width="{width}" height="{height}"'
        paper = f'<rect width="{width}" height="{height}" fill="{PRINT_PAPER}"/>'
        style = f"color:{PRINT_INK};"
    else:
        size, paper = 'width="100%"', TOOLTIPS.replace("PAPER", PAPER_SOLID)
        style = (
            f"display:block;height:auto;aspect-ratio:{width}/{height};"
            f"max-width:{width * _WIDEST:.0f}px;color:{INK};"
        )
    head = (
        f'<svg xmlns="{_XMLNS}" role="img" aria-label="{alt}" data-chart="{chart.kind}" {size} '
        f'viewBox="0 0 {width} {height}" style="{style}font-variant-numeric:tabular-nums" '
        f'font-family="{FONT}" font-size="{TEXT}" fill="currentColor">'
        f"<title>{title}</title><desc>{alt}</desc>{paper}{patterns(id_prefix, PATTERNS)}"
    )
    # Joined once: the largest drawings have 200 kB, and every copy takes time.
    return "".join([head, *(paint(mark, canvas) for mark in marks), "</svg>"])


def draw(
    chart: Drawable,
    width: int = 960,
    height: int = 360,
    id_prefix: str = "c",
    foot: float = 0.0,
    light: bool = False,
) -> str:
    """An inline ``<svg>`` as wide as its container, with a height that never jumps.

    ``width`` and ``height`` are the units of its viewBox. Give each chart on a page its own
    ``id_prefix``. A chart that does not fit (a waterfall of many steps) is drawn taller.
    ``foot`` is the least height below the plot: the largest :meth:`~cnnmem.charts.Chart.foot` of
    charts side by side. A ``light`` drawing has no columns to point at if there are very many.

    >>> from . import Series, StackedBars
    >>> tiny = StackedBars("Tiny", ("conv", "fc"), (Series("weights", (27, 81)),), "parameters")
    >>> draw(tiny).count('class="bar"')
    2
    """
    return _render(chart, width, height, id_prefix, False, foot, light)


def standalone(
    chart: Drawable, width: int = 960, height: int = 360, id_prefix: str = "c", foot: float = 0.0
) -> str:
    """The same drawing as a self-contained file: dark on white, in pixels.

    >>> from . import Series, StackedBars
    >>> "var(" in standalone(StackedBars("Empty", (), (), "MB"))
    False
    """
    return _render(chart, width, height, id_prefix, True, foot)


def data_uri_img(chart: Drawable, width: int = 960, height: int = 360, foot: float = 0.0) -> str:
    """The drawing as an ``<img>``, which untrusted notebooks show and screen readers read out.

    >>> from . import StackedBars
    >>> data_uri_img(StackedBars("Empty", (), (), "MB"))[:60]
    '<img alt="Empty. Stacked bars, 0 layers: all values are zero'
    """
    code = base64.b64encode(standalone(chart, width, height, foot=foot).encode()).decode()
    return (
        f'<img alt="{escape(chart.alt)}" src="data:image/svg+xml;base64,{code}" '
        f'width="{width}" style="max-width:100%">'
    )


def bars(svg: str) -> list[dict[str, object]]:
    """The bars of a drawing, read back from its SVG: name, exact values, total.

    >>> from . import Series, StackedBars
    >>> tiny = StackedBars("Tiny", ("conv", "fc"), (Series("weights", (27, 81)),), "parameters")
    >>> bars(draw(tiny))[1]
    {'name': 'fc', 'values': (81,), 'total': 81}
    """
    found: list[dict[str, object]] = []
    for element in ET.fromstring(svg).iter(f"{{{_XMLNS}}}rect"):
        if element.get("class") == "bar":
            values = tuple(map(_value, element.get("data-values", "").split()))
            stated = element.get("data-total")  # left out where it is the sum of the values
            found.append(
                {
                    "name": element.get("data-name"),
                    "values": values,
                    "total": sum(values) if stated is None else _value(stated),
                }
            )
    return found


def _value(text: str) -> Real:
    if "/" in text:
        return Fraction(text)
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
