"""Tables as plain text and as HTML, for every room."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def aligned(rows: Iterable[Sequence[object]], align: str = "<>", gap: int = 2) -> list[str]:
    """Return rows as lines of text, their columns aligned.

    `align` has a sign for each column, "<" for left and ">" for right; the last sign also serves
    all further columns. `gap` is the number of spaces between columns.

    >>> aligned([("layer", "values"), ("conv1", "3,456"), ("fc", "10")])
    ['layer  values', 'conv1   3,456', 'fc         10']
    """
    body = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    signs = align + align[-1] * len(widths)
    return [
        (" " * gap)
        .join(
            f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=False)
        )
        .rstrip()
        for row in body
    ]


def html_table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    caption: str = "",
    left: int = 2,
    last_is_sum: bool = False,
) -> str:
    """Return an HTML table with every cell escaped; columns after the first `left` align right.

    >>> table = html_table(("layer", "values"), [("conv<1>", 7)], left=1)
    >>> "conv&lt;1&gt;" in table
    True
    """

    def cells(row: Sequence[object], tag: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        sides = ["left" if i < left else "right" for i in range(len(row))]
        return "".join(
            f'<{tag}{scope} style="text-align:{side}">{html.escape(str(cell))}</{tag}>'
            for side, cell in zip(sides, row, strict=True)
        )

    body = list(rows)
    out = ["<table>"]
    if caption:
        out.append(f"<caption>{html.escape(caption)}</caption>")
    out.append(f"<thead><tr>{cells(header, 'th')}</tr></thead><tbody>")
    for i, row in enumerate(body):
        strong = ' style="font-weight:bold"' if last_is_sum and i == len(body) - 1 else ""
        out.append(f"<tr{strong}>{cells(row, 'td')}</tr>")
    return "".join([*out, "</tbody></table>"])
