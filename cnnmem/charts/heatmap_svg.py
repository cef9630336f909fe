"""Draw a heat map: a cell a pair, its number written in it."""

from __future__ import annotations

from .format import Number
from .header import draw_title
from .heatmap import HeatMap, told
from .parts import BOLD, END, MIDDLE, Canvas, escape, fit, label, text_width
from .theme import FILLS, TEXT

_LOW, _HIGH = (0xE6, 0xF0, 0xF7), (0x00, 0x5A, 0x8E)  # within the limit: from pale to dark blue
ABOVE = FILLS[1].colour
_DARK, _PALE = "#000", "#fff"
_TURN = 0.77  # from this share of the limit on, the ground is dark
_SIDE = 12.0
_FOOT = 42.0
_ROW = 18.0  # the least height of a row


def ground(chart: HeatMap, value: Number | None) -> tuple[str, str]:
    """Return the colour of a cell and that of its number.

    >>> tiny = HeatMap("T", ("a", "b"), ("x",), ((0, 4),), "GB", across_name="n", down_name="m",
    ...     limit=2)
    >>> ground(tiny, 0), ground(tiny, 4)
    (('#e6f0f7', '#000'), ('#E69F00', '#000'))
    """
    if value is None:
        return "none", "currentColor"
    if not chart.fits(value):
        return ABOVE, _DARK
    most = chart.limit if chart.limit is not None else max(chart.numbers)
    share = min(max(float(value) / float(most), 0.0), 1.0) if most else 0.0
    mixed = [round(low + (high - low) * share) for low, high in zip(_LOW, _HIGH, strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*mixed), _PALE if share > _TURN else _DARK


def draw_heatmap(chart: HeatMap, canvas: Canvas) -> tuple[list[str], int]:
    """The elements of the drawing, back to front, and the height it needs."""
    out = draw_title(chart.title, "", canvas)
    top = 34.0
    if chart.limit is not None:
        out += _legend(chart, top)
        top += 24
    names = max([text_width(name) for name in chart.down], default=0)
    left = _SIDE + 18 + min(names, canvas.width * 0.3) + 10
    right = canvas.width - _SIDE
    foot = _FOOT + (18 if chart.note else 0)
    tall = max((canvas.height - foot - top) / max(len(chart.down), 1), _ROW)
    wide = (right - left) / max(len(chart.across), 1)
    bottom = top + tall * len(chart.down)
    middle = (top + bottom) / 2
    out.append(
        f'<text transform="translate({_SIDE + 8:.1f},{middle:.1f}) rotate(-90)"{MIDDLE}>'
        f"{escape(chart.down_name)}</text>"
    )
    for i, name in enumerate(chart.down):
        bold = BOLD if chart.chosen and chart.chosen[0] == i else ""
        y = top + tall * (i + 0.5) + 4.5
        out.append(label(left - 8, y, fit(name, left - _SIDE - 26), END + bold))
    for j, name in enumerate(chart.across):
        bold = BOLD if chart.chosen and chart.chosen[1] == j else ""
        out.append(label(left + wide * (j + 0.5), bottom + 17, fit(name, wide - 4), MIDDLE + bold))
    out.append(label((left + right) / 2, bottom + 35, chart.across_name, MIDDLE))
    out.append('<g class="bars">')
    for i, row in enumerate(chart.cells):
        for j, value in enumerate(row):
            x, y = left + wide * j, top + tall * i
            fill, ink = ground(chart, value)
            number = "" if value is None else f' data-values="{value}" data-total="{value}"'
            name = escape(f"{chart.down[i]}, {chart.across[j]}")
            out.append(
                f'<rect class="{"blank" if value is None else "bar"}" x="{x:.1f}" y="{y:.1f}" '
                f'width="{wide:.1f}" height="{tall:.1f}" fill="{fill}" stroke="{canvas.paper}" '
                f'data-name="{name}"{number}><title>{escape(told(chart, i, j))}</title></rect>'
            )
            text = chart.shown(value)
            size = f' font-size="{TEXT if text_width(text) < wide - 4 else TEXT - 2}"'
            more = f'{MIDDLE}{size} class="on-cell" fill="{ink}" pointer-events="none"'
            out.append(label(x + wide / 2, y + tall / 2 + 4.5, text, more))
    out.append("</g>")
    out.append(
        f'<path class="limit" d="{_border(chart, left, top, wide, tall)}" stroke="currentColor" '
        'stroke-width="3" stroke-linecap="square" fill="none"/>'
    )
    if chart.chosen is not None:
        row_index, column = chart.chosen
        out.append(
            f'<rect class="chosen" x="{left + wide * column + 3:.1f}" '
            f'y="{top + tall * row_index + 3:.1f}" width="{wide - 6:.1f}" height="{tall - 6:.1f}" '
            f'fill="none" stroke="#D55E00" stroke-width="2.5" pointer-events="none"/>'
        )
    if chart.note:
        out.append(label(_SIDE, bottom + foot - 8, fit(chart.note, right - _SIDE)))
    return out, round(bottom + foot)


def _legend(chart: HeatMap, top: float) -> list[str]:
    out, x = [], _SIDE
    dark = "#{:02x}{:02x}{:02x}".format(*_HIGH)
    for fill, text in ((dark, f"within {chart.limit_text}"), (ABOVE, "above it")):
        out.append(f'<rect x="{x:.1f}" y="{top - 1:.1f}" width="16" height="13" fill="{fill}"/>')
        out.append(label(x + 22, top + 10, text))
        x += 44 + text_width(text)
    return out


def _border(chart: HeatMap, left: float, top: float, wide: float, tall: float) -> str:
    """The line between what is within the limit and what is above it."""
    path = []
    rows, columns = len(chart.down), len(chart.across)
    above = [[v is not None and not chart.fits(v) for v in row] for row in chart.cells]
    for i in range(rows):
        for j in range(columns):
            x, y = left + wide * j, top + tall * i
            if j and above[i][j] != above[i][j - 1]:
                path.append(f"M{x:.1f},{y:.1f}v{tall:.1f}")
            if i and above[i][j] != above[i - 1][j]:
                path.append(f"M{x:.1f},{y:.1f}h{wide:.1f}")
    return "".join(path)
