"""How questions are shown: as text, as HTML, and in widgets that can be read without a kernel."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets

from .feedback import code_block, to_html
from .question import Question

DEFECT = "This is a defect of the kit, please report it: "
LOOK = "font-size:14px;line-height:1.45;max-width:48em"  # the widgets' own line height is too large
COLOURS = {"right": "#00695c", "wrong": "#b00020"}
OTHER = "#757575"
# A widget whose kernel has ended cannot judge: its old verdict must not stand beside a new answer.
GONE = (
    "<style>.cnnmem-gone,.jupyter-widgets-disconnected .cnnmem-said{display:none}"
    ".jupyter-widgets-disconnected .cnnmem-gone{display:block}</style>"
    '<p class="cnnmem-gone"><em>The kernel was restarted: run the cell again to answer.</em></p>'
)


def heading(question: Question) -> str:
    """Return the heading of a question: its title, its id and the lesson that it recalls."""
    recall = f", recalls lesson {question.recalls}" if question.recalls else ""
    return f"{question.title} ({question.id}{recall})"


def plain_text(question: Question, body: bool = True) -> str:
    """Return a question as text, without its solution; the body is its options or code."""
    parts = (heading(question), question.statement, question.body if body else "")
    return "\n\n".join(filter(None, parts))


def question_html(question: Question, body: bool = True) -> str:
    """Return a question as HTML, without its solution; the body is its options or code."""
    shown = code_block(question.body) if body and question.body else ""
    return (
        f'<div style="{LOOK}"><p><strong>{html.escape(heading(question))}</strong></p>'
        f"{to_html(question.statement)}{shown}</div>"
    )


class Readable(ipywidgets.VBox):
    """A box that can also be read without a kernel."""

    def _texts(self) -> tuple[str, str]:
        """Return what is shown without a kernel, as text and as HTML."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"], data["text/html"] = self._texts()
        return bundle


def status(parts: list[str], look: str = "", state: str = "") -> str:
    """Return the live region of a question: screen readers announce what changes inside it."""
    return (
        f'<div role="status" data-state="{state}" style="{LOOK};{look}">{GONE}'
        f'<div class="cnnmem-said">{"".join(parts)}</div></div>'
    )
