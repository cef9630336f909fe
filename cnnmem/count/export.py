"""A table as text, HTML, Markdown, CSV, a dict for JSON or a pandas data frame."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cnnmem.model.windows import shape_text
from cnnmem.tables import aligned, html_table
from cnnmem.units import memory

from .convention import Convention
from .table import Row, Table
from .totals import Total, total

if TYPE_CHECKING:
    import pandas

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

# Markup inside a line of Markdown, which ignores an underscore inside a word (conv1_1).
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


def _sums(table: Table) -> tuple[str, ...]:
    weights, biases = sum(r.weights for r in table.rows), sum(r.biases for r in table.rows)
    counts = (weights, biases, table.statistics, table.values, table.macs)
    saved = table.saved_bytes
    last = "-" if saved is None else f"{saved:,}"
    return ("total", "", "", *[f"{n:,}" for n in counts], last)


def caption(table: Table) -> str:
    """Return one line that says what the table describes, and its totals."""
    size, saved = shape_text(table.image), table.saved_bytes
    mode = "" if table.mode == "train" else f" in {table.mode} mode"
    kept = "" if saved is None else f", {memory(saved)} kept for backward{mode}"
    return (
        f"{_one_line(table.network)}, input {size}, batch {table.batch}, {table.dtype}: "
        f"{table.params:,} parameters, {table.values:,} feature-map values, "
        f"{table.macs:,} MACs{kept}"
    )


def to_text(table: Table) -> str:
    """Return the table for a terminal: counts right-aligned, a line of totals at the end."""
    body = [_cells(row, table.says_saved) for row in table.rows]
    *lines, last = _aligned([*body, _sums(table)])
    rule = "-" * max(map(len, [*lines, last]))
    return "\n".join([caption(table), "", *lines, rule, last, *_notes(table)])


def rows_as_text(table: Table, names: Sequence[str]) -> str:
    """Return the rows of the named layers, without totals."""
    return "\n".join(_aligned([_cells(table[name], table.says_saved) for name in names]))


def _aligned(body: Sequence[Sequence[str]]) -> list[str]:
    """Return a header, a rule and the lines of cells, counts right-aligned."""
    header, *lines = aligned([COLUMNS, *body], "<<<>")
    widths = [max(map(len, column)) for column in zip(COLUMNS, *body, strict=True)]
    return [header, "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines]


def _notes(table: Table) -> list[str]:
    return [f"not counted: {', '.join(table.uncounted)}"] if table.uncounted else []


def to_html(table: Table) -> str:
    """Return the table as HTML for Jupyter."""
    body = [_cells(row, table.says_saved) for row in table.rows]
    rows = html_table(COLUMNS, [*body, _sums(table)], caption(table), 3, last_is_sum=True)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in _notes(table))
    return f'<div style="max-height:32em;overflow:auto" tabindex="0">{rows}</div>{notes}'


def to_markdown(table: Table) -> str:
    """Return the table as Markdown; markup in names is escaped."""

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(map(_markdown, cells))} |"

    body = [_cells(row, table.says_saved) for row in table.rows]
    rule = "|" + "|".join([" --- "] * 3 + [" ---: "] * (len(COLUMNS) - 3)) + "|"
    lines = [line(COLUMNS), rule, *map(line, body), line(_sums(table))]
    notes = [f"\n{_markdown(note)}" for note in _notes(table)]
    return "\n".join([_markdown(caption(table)), "", *lines, *notes])


def _markdown(text: str) -> str:
    return MARKDOWN.sub(r"\\\g<0>", _one_line(text))


def _one_line(text: str) -> str:
    """Replace line breaks and other control characters, which would break a table, by spaces."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def records(table: Table) -> list[dict[str, Any]]:
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
            "saved": row.saved if table.says_saved else None,
        }
        for row in table.rows
    ]


def to_csv(table: Table) -> str:
    """Return the table as CSV, counts without separators, shapes as 224x224x3."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", "kind", "inputs", *COLUMNS[2:]])
    for record in records(table):
        inputs = " ".join("x".join(map(str, shape)) for shape in record["inputs"])
        output = "x".join(map(str, record["output"]))
        saved = "" if record["saved"] is None else record["saved"]
        numbers = [record[key] for key in COLUMNS[3:-1]]
        name = record["name"].replace("\r", " ")  # the csv module would not quote it
        writer.writerow([name, record["kind"], inputs, output, *numbers, saved])
    return out.getvalue()


def plain(value: Fraction) -> int | float:
    """Return an exact value for JSON: whole numbers as ints, others as floats."""
    return int(value) if value.denominator == 1 else float(value)


def total_dict(of: Total) -> dict[str, Any]:
    """Return a total as plain values."""
    return {"value": plain(of.value), "unit": of.unit.name, "convention": of.convention.name}


def to_dict(table: Table, convention: Convention | str = "tensors") -> dict[str, Any]:
    """Return the table as plain lists, ints and strings, ready for JSON."""
    return {
        "network": table.network,
        "input": list(table.image),
        "batch": table.batch,
        "params": table.params,
        "statistics": table.statistics,
        "values": table.values,
        "macs": table.macs,
        "saved_bytes": table.saved_bytes,
        "total": total_dict(total(table, convention)),
        "rows": records(table),
        **({"uncounted": list(table.uncounted)} if table.uncounted else {}),
    }


def to_pandas(table: Table) -> pandas.DataFrame:
    """Return the table as a data frame indexed by name; raises `ImportError` without pandas."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "to_pandas needs pandas, which is not installed: pip install pandas, "
            "or take to_dict() or to_csv()"
        ) from error
    return pandas.DataFrame.from_records(records(table), index="name")
