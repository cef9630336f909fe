"""A table as text, HTML, Markdown, CSV, a dict for JSON or a pandas data frame."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cnnmem.checks import is_int
from cnnmem.errors import CnnmemError
from cnnmem.model.windows import shape_text
from cnnmem.tables import aligned, html_table
from cnnmem.units import memory

from .convention import Convention
from .table import Row, Table
from .totals import Total, total

if TYPE_CHECKING:
    import pandas

COUNTS = ("weights", "biases", "statistics", "trainable", "values", "macs", "saved")


def columns(table: Table) -> tuple[str, ...]:
    """Return the columns that people read; `trainable` is one where something is frozen."""
    frozen = table.trainable != table.params
    return ("name", "kind", "output", *[c for c in COUNTS if frozen or c != "trainable"])


# Markup inside a line of Markdown, which ignores an underscore inside a word (conv1_1).
MARKDOWN = re.compile(r"[\\`*\[\]<>&|~#]|(?<![^\W_])_|_(?![^\W_])")


def _cells(row: Row, shown: Sequence[str], says_saved: bool) -> tuple[str, ...]:
    counts = [getattr(row, name) for name in shown[3:]]
    return (
        _one_line(row.name),
        row.kind,
        shape_text(row.output),
        *_counts(counts, says_saved),
    )


def _counts(counts: Sequence[int], says_saved: bool) -> list[str]:
    """Return counts as text; the last one is what backward keeps, which may be unknown."""
    texts = [f"{n:,}" for n in counts]
    return texts if says_saved else [*texts[:-1], "-"]


def _sums(table: Table, shown: Sequence[str]) -> tuple[str, ...]:
    counts = [sum(getattr(row, name) for row in table.rows) for name in shown[3:]]
    return ("total", "", "", *_counts(counts, table.says_saved))


def caption(table: Table) -> str:
    """Return one line that says what the table describes, and its totals."""
    size, saved = shape_text(table.image), table.saved_bytes
    mode = "" if table.mode == "train" else f" in {table.mode} mode"
    kept = "" if saved is None else f", {memory(saved)} kept for backward{mode}"
    return (
        f"{_one_line(table.network)}, input {size}, batch {table.batch}, {table.dtype}: "
        f"{table.params:,} parameters, {table.values:,} feature-map values, "
        f"{'at least ' if table.uncounted else ''}{table.macs:,} MACs{kept}"
    )


def to_text(table: Table) -> str:
    """Return the table for a terminal: counts right-aligned, a line of totals at the end."""
    shown = columns(table)
    return _text(table, shown, [_cells(row, shown, table.says_saved) for row in table.rows])


def _text(table: Table, shown: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    *lines, last = _aligned(shown, [*body, _sums(table, shown)])
    rule = "-" * max(map(len, [*lines, last]))
    return "\n".join([caption(table), "", *lines, rule, last, *_notes(table)])


def rows_as_text(table: Table, names: Sequence[str]) -> str:
    """Return the rows of the named layers, without totals."""
    shown = columns(table)
    return "\n".join(
        _aligned(shown, [_cells(table[name], shown, table.says_saved) for name in names])
    )


def to_tree(table: Table, depth: int | None = None) -> str:
    """Return the table as the tree of modules, each with the sums of what is in it.

    `depth` is the number of levels that are shown (default: all); a deeper row counts in its
    module's sums only. The names of rows say where they belong: "layer1.0.conv1" of a torch
    module, "outer/inner" of a Keras model; a plain network has its blocks.

    Raises `CnnmemError` for a depth that is not a positive integer.
    """
    if depth is not None and not (is_int(depth) and depth >= 1):
        raise CnnmemError(f"depth is {depth!r}; give a positive integer, or none for all levels")
    shown = columns(table)
    sums: dict[tuple[str, ...], list[int]] = {}
    leaves: dict[tuple[str, ...], Row] = {}
    for row in table.rows:
        path = _path(row)
        leaves[path] = row
        counts = [getattr(row, name) for name in shown[3:]]
        for level in range(1, len(path) + 1):
            so_far = sums.setdefault(path[:level], [0] * len(counts))
            for i, count in enumerate(counts):
                so_far[i] += count
    body = []
    for path, counts in sums.items():
        if depth is None or len(path) <= depth:
            name = "  " * (len(path) - 1) + _one_line(path[-1])
            inner = leaves.get(path)
            what = (inner.kind, shape_text(inner.output)) if inner else ("", "")
            body.append((name, *what, *_counts(counts, table.says_saved)))
    return _text(table, shown, body)


def _path(row: Row) -> tuple[str, ...]:
    """Return where a row stands in the tree of modules."""
    parts = tuple(re.split(r"[./]", row.name))
    return parts if len(parts) > 1 or row.block in (row.name, "") else (row.block, *parts)


def _aligned(shown: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Return a header, a rule and the lines of cells, counts right-aligned."""
    header, *lines = aligned([shown, *body], "<<<>")
    widths = [max(map(len, column)) for column in zip(shown, *body, strict=True)]
    return [header, "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines]


def _notes(table: Table) -> list[str]:
    return [f"not counted: {', '.join(table.uncounted)}"] if table.uncounted else []


def to_html(table: Table) -> str:
    """Return the table as HTML for Jupyter."""
    shown = columns(table)
    body = [_cells(row, shown, table.says_saved) for row in table.rows]
    rows = html_table(shown, [*body, _sums(table, shown)], caption(table), 3, last_is_sum=True)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in _notes(table))
    return f'<div style="max-height:32em;overflow:auto" tabindex="0">{rows}</div>{notes}'


def to_markdown(table: Table) -> str:
    """Return the table as Markdown; markup in names is escaped."""

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(map(_markdown, cells))} |"

    shown = columns(table)
    body = [_cells(row, shown, table.says_saved) for row in table.rows]
    rule = "|" + "|".join([" --- "] * 3 + [" ---: "] * (len(shown) - 3)) + "|"
    lines = [line(shown), rule, *map(line, body), line(_sums(table, shown))]
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
            "trainable": row.trainable,
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
    writer.writerow(["name", "kind", "inputs", "output", *COUNTS])
    for record in records(table):
        inputs = " ".join("x".join(map(str, shape)) for shape in record["inputs"])
        output = "x".join(map(str, record["output"]))
        saved = "" if record["saved"] is None else record["saved"]
        numbers = [record[key] for key in COUNTS[:-1]]
        name = record["name"].replace("\r", " ")  # the csv module would not quote it
        writer.writerow([name, record["kind"], inputs, output, *numbers, saved])
    return out.getvalue()


def plain(value: Fraction) -> int | float:
    """Return an exact value for JSON: whole numbers as ints, others as floats."""
    return int(value) if value.denominator == 1 else float(value)


def total_dict(of: Total) -> dict[str, Any]:
    """Return a total as plain values."""
    outside = {"outside": list(of.outside)} if of.outside else {}
    return {
        "value": plain(of.value),
        "unit": of.unit.name,
        "convention": of.convention.name,
        **outside,
    }


def to_dict(table: Table, convention: Convention | str = "tensors") -> dict[str, Any]:
    """Return the table as plain lists, ints and strings, ready for JSON."""
    return {
        "network": table.network,
        "input": list(table.image),
        "batch": table.batch,
        "params": table.params,
        "statistics": table.statistics,
        "trainable": table.trainable,
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
