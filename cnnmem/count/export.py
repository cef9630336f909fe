"""A table as text, HTML, Markdown, CSV, JSON's dict or a pandas data frame."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cnnmem.model.windows import shape_text
from cnnmem.units import memory

from .totals import Total, total

if TYPE_CHECKING:
    import pandas

    from .conventions import Convention
    from .table import Row, Summary

COLUMNS = (
    "name",
    "kind",
    "output",
    "weights",
    "biases",
    "statistics",
    "values",
    "macs",
    "saved",
)

# What Markdown reads inside a line. An underscore inside a word, as in conv1_1, it leaves alone.
MARKDOWN = re.compile(r"[\\`*\[\]<>&|~#]|(?<![^\W_])_|_(?![^\W_])")


def _cells(row: Row, says_saved: bool) -> tuple[str, ...]:
    counts = (row.weights, row.biases, row.statistics, row.values, row.macs)
    saved = f"{row.saved:,}" if says_saved else "-"
    return (
        _one_line(row.name),
        row.kind,
        shape_text(row.output),
        *[f"{n:,}" for n in counts],
        saved,
    )


def _sums(summary: Summary) -> tuple[str, ...]:
    weights, biases = sum(r.weights for r in summary.rows), sum(r.biases for r in summary.rows)
    counts = (weights, biases, summary.statistics, summary.values, summary.macs)
    saved = summary.saved_bytes
    last = "-" if saved is None else f"{saved:,}"
    return ("total", "", "", *[f"{n:,}" for n in counts], last)


def caption(summary: Summary) -> str:
    """Return one line that says what the table is of, and its totals."""
    size, saved = shape_text(summary.image), summary.saved_bytes
    mode = "" if summary.mode == "train" else f" in {summary.mode} mode"
    kept = "" if saved is None else f", {memory(saved)} kept for backward{mode}"
    return (
        f"{_one_line(summary.network)}, input {size}, batch {summary.batch}, {summary.dtype}: "
        f"{summary.params:,} parameters, {summary.values:,} feature-map values, "
        f"{summary.macs:,} MACs{kept}"
    )


def to_text(summary: Summary) -> str:
    """Return the table for a terminal: counts to the right, a line of totals at the end."""
    body = [_cells(row, summary.says_saved) for row in summary.rows]
    *lines, last = _aligned([*body, _sums(summary)])
    rule = "-" * max(map(len, [*lines, last]))
    return "\n".join([caption(summary), "", *lines, rule, last, *_notes(summary)])


def rows_as_text(summary: Summary, names: Sequence[str]) -> str:
    """Return the rows of some layers, without what they sum to."""
    return "\n".join(_aligned([_cells(summary[name], summary.says_saved) for name in names]))


def _aligned(body: Sequence[Sequence[str]]) -> list[str]:
    """Return a header, a rule and lines of cells, the counts to the right."""
    widths = [max(map(len, column)) for column in zip(COLUMNS, *body, strict=True)]

    def line(cells: Sequence[str]) -> str:
        left = [f"{cell:<{w}}" for cell, w in zip(cells[:3], widths, strict=False)]
        right = [f"{cell:>{w}}" for cell, w in zip(cells[3:], widths[3:], strict=True)]
        return "  ".join([*left, *right]).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return [line(COLUMNS), rule, *map(line, body)]


def _notes(summary: Summary) -> list[str]:
    return [f"not counted: {', '.join(summary.uncounted)}"] if summary.uncounted else []


def html_table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    caption: str = "",
    left: int = 2,
    last_is_sum: bool = False,
) -> str:
    """Return an HTML table, every cell escaped; the columns from `left` on are numbers."""
    esc = html.escape

    def cells(row: Sequence[object], tag: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        sides = ["left" if i < left else "right" for i in range(len(row))]
        return "".join(
            f'<{tag}{scope} style="text-align:{side}">{esc(str(cell))}</{tag}>'
            for side, cell in zip(sides, row, strict=True)
        )

    body = list(rows)
    out = ["<table>"]
    if caption:
        out.append(f"<caption>{esc(caption)}</caption>")
    out.append(f"<thead><tr>{cells(header, 'th')}</tr></thead><tbody>")
    for i, row in enumerate(body):
        strong = ' style="font-weight:bold"' if last_is_sum and i == len(body) - 1 else ""
        out.append(f"<tr{strong}>{cells(row, 'td')}</tr>")
    return "".join([*out, "</tbody></table>"])


def to_html(summary: Summary) -> str:
    """Return the table as HTML for Jupyter."""
    body = [_cells(row, summary.says_saved) for row in summary.rows]
    table = html_table(COLUMNS, [*body, _sums(summary)], caption(summary), 3, last_is_sum=True)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in _notes(summary))
    return f'<div style="max-height:32em;overflow:auto" tabindex="0">{table}</div>{notes}'


def to_markdown(summary: Summary) -> str:
    """Return the table as Markdown; what Markdown or HTML would read in a name is escaped."""

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(map(_markdown, cells))} |"

    body = [_cells(row, summary.says_saved) for row in summary.rows]
    rule = "|" + "|".join([" --- "] * 3 + [" ---: "] * (len(COLUMNS) - 3)) + "|"
    lines = [line(COLUMNS), rule, *map(line, body), line(_sums(summary))]
    notes = [f"\n{_markdown(note)}" for note in _notes(summary)]
    return "\n".join([_markdown(caption(summary)), "", *lines, *notes])


def _markdown(text: str) -> str:
    return MARKDOWN.sub(r"\\\g<0>", _one_line(text))


def _one_line(text: str) -> str:
    """Return a text without line breaks or other control characters, which would break a table."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def records(summary: Summary) -> list[dict[str, Any]]:
    """Return the rows as dicts of plain values; shapes as lists."""
    return [
        {
            "name": row.name,
            "kind": row.kind,
            "inputs": [list(shape) for shape in row.inputs],
            "output": list(row.output),
            "weights": row.weights,
            "biases": row.biases,
            "statistics": row.statistics,
            "values": row.values,
            "macs": row.macs,
            "saved": row.saved if summary.says_saved else None,
        }
        for row in summary.rows
    ]


def to_csv(summary: Summary) -> str:
    """Return the table as CSV, counts without separators, shapes as 224x224x3."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", "kind", "inputs", *COLUMNS[2:]])
    for record in records(summary):
        inputs = " ".join("x".join(map(str, shape)) for shape in record["inputs"])
        output = "x".join(map(str, record["output"]))
        saved = "" if record["saved"] is None else record["saved"]
        numbers = [record[key] for key in COLUMNS[3:-1]]
        name = record["name"].replace("\r", " ")  # which the csv module does not quote
        writer.writerow([name, record["kind"], inputs, output, *numbers, saved])
    return out.getvalue()


def plain(value: Fraction) -> int | float:
    """Return an exact value as JSON has it: whole numbers as ints."""
    return int(value) if value.denominator == 1 else float(value)


def total_dict(of: Total) -> dict[str, Any]:
    """Return a total as plain values."""
    return {"value": plain(of.value), "unit": of.unit.name, "convention": of.convention.name}


def to_dict(summary: Summary, convention: Convention | str = "tensors") -> dict[str, Any]:
    """Return the table as plain lists, ints and strings, ready for JSON."""
    return {
        "network": summary.network,
        "input": list(summary.image),
        "batch": summary.batch,
        "params": summary.params,
        "statistics": summary.statistics,
        "values": summary.values,
        "macs": summary.macs,
        "saved_bytes": summary.saved_bytes,
        "total": total_dict(total(summary, convention)),
        "rows": records(summary),
        **({"uncounted": list(summary.uncounted)} if summary.uncounted else {}),
    }


def to_pandas(summary: Summary) -> pandas.DataFrame:
    """Return the table as a data frame indexed by name; raises `ImportError` without pandas."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "to_pandas needs pandas, which is not installed: pip install pandas, "
            "or take to_dict() or to_csv()"
        ) from error
    return pandas.DataFrame.from_records(records(summary), index="name")
