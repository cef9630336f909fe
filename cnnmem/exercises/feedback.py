"""Feedback for the learner: verdicts, notes, and the known wrong answers behind them."""

from __future__ import annotations

import html
import re
import textwrap
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["not attempted", "wrong", "right"]


@dataclass(frozen=True, repr=False)
class Verdict:
    """The verdict on one answer. `slip` names the known wrong answer that was recognised.

    An answer that cannot be read is "not attempted" too: nothing was judged, and the text says what
    is missing.

    >>> Verdict("wrong", "That is the MiB figure.", "MiB for MB")
    Wrong. That is the MiB figure.
    """

    state: State
    text: str
    slip: str = ""

    def __str__(self) -> str:
        return self.text if self.state == "not attempted" else f"{self.state.title()}. {self.text}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<div role="status">{to_html(str(self))}</div>'


@dataclass(frozen=True, repr=False)
class Note:
    """A hint or a solution, as text.

    >>> Note("Hint 1 of 3: start from the shape.")
    Hint 1 of 3: start from the shape.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<div role="status">{to_html(self.text)}</div>'


@dataclass(frozen=True, kw_only=True)
class Slip:
    """A known wrong answer: its name, the answer itself, and the hint that it gets."""

    name: str
    answer: Any
    hint: str


def to_html(text: str) -> str:
    """Return text as escaped HTML; blank lines separate paragraphs, `code` becomes code.

    A paragraph indented by four spaces becomes a code block.

    >>> to_html("Is `a < b`?")
    '<p>Is <code>a &lt; b</code>?</p>'
    """
    paragraphs = []
    for paragraph in re.split(r"\n[^\S\n]*\n", text.strip("\n")):
        escaped = html.escape(paragraph)
        if paragraph.startswith("    "):
            paragraphs.append(code_block(textwrap.dedent(paragraph)))
            continue
        escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
        paragraphs.append("<p>" + escaped.replace("\n", "<br>") + "</p>")
    return "".join(paragraphs)


def code_block(code: str) -> str:
    """Return lines of code as HTML, in a monospace font that keeps the indentation."""
    look = "font-family:monospace;line-height:1.4;margin:.5em 0;overflow-x:auto"
    return f'<pre style="{look}">{html.escape(code)}</pre>'


def letter(index: int) -> str:
    """Return the letter of an option: a, b, c, ...

    >>> letter(0), letter(3)
    ('a', 'd')
    """
    return "abcdefghijklmnopqrstuvwxyz"[index]
