"""What follows a question stays hidden until the reader has answered, or asks to see it.

With a kernel a veil is a box that opens. A page without one, and the stored notebook, show a closed
`<details>`. What is stored is the same for every reader.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import ipywidgets

from .feedback import code_block, to_html
from .kernel import Memory
from .readable import LOOK, Readable

SHOW = "Show without guessing"


class Veil(Readable):
    """Explorers, texts and tables that open when their question has been answered.

    `parts` are widgets, texts, or anything that a notebook can show as HTML. `told` returns what is
    said below them, with the reader's guess if there is one; `stored` is what a page without a
    kernel says there. `shown` is called when the reader asks to see it without an answer.
    """

    def __init__(
        self,
        memory: Memory,
        parts: tuple[Any, ...],
        told: Callable[[], str] = lambda: "",
        stored: str = "",
        shown: Callable[[], None] = lambda: None,
    ) -> None:
        self._memory, self._parts, self._told, self._stored = memory, parts, told, stored
        self._shown = shown
        title = memory.question.title
        self._button = ipywidgets.Button(
            description=SHOW, tooltip=f"show what follows {title!r}", layout={"width": "auto"}
        )
        self._button.on_click(lambda _: self.show())
        self._status = ipywidgets.HTML(layout={"width": "auto"})
        self._before = (
            ipywidgets.HTML(
                f'<p style="{LOOK}"><em>Hidden until you have answered '
                f"<strong>{html.escape(title)}</strong>.</em></p>"
            ),
            self._button,
        )
        self._after = (*map(_widget, parts), self._status)
        super().__init__(self._before, layout={"width": "100%"})
        self.add_class("cnnmem-veil")
        memory.on_open.append(self._refresh)
        memory.on_forget.append(self._refresh)
        self._refresh()

    @property
    def opened(self) -> bool:
        """Whether the reader sees what follows."""
        return self._memory.opened

    @property
    def told(self) -> str:
        """What is said below the parts; "" while they are hidden."""
        return self._told() if self.opened else ""

    def show(self) -> Veil:
        """Show what follows without an answer, as the button does."""
        self._shown()
        self._memory.open()
        return self

    def _refresh(self) -> None:
        self.children = self._after if self.opened else self._before
        told = to_html(self.told) if self.told else ""
        self._status.value = f'<div role="status" style="{LOOK}">{told}</div>'

    def _texts(self) -> tuple[str, str]:
        plain, shown = forms(self._parts)
        if self._stored:
            plain, shown = f"{plain}\n\n{self._stored}", shown + to_html(self._stored)
        hidden = f"[hidden until {self._memory.question.id} is answered]"
        return f"{hidden}\n{plain}", _details(SHOW, shown)

    def __repr__(self) -> str:
        return f"<veil of {self._memory.question.id}: {'open' if self.opened else 'closed'}>"


class Fold:
    """Texts and tables in a closed `<details>`: there for those who want them.

    >>> print(Fold("Why?", "It is `fc1`.")._repr_mimebundle_()["text/html"])
    <details><summary>Why?</summary><p>It is <code>fc1</code>.</p></details>
    """

    def __init__(self, title: str, *parts: Any) -> None:
        self.title, self.parts = title, parts

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        plain, shown = forms(self.parts)
        return {"text/plain": f"{self.title}\n{plain}", "text/html": _details(self.title, shown)}


def forms(parts: tuple[Any, ...]) -> tuple[str, str]:
    """Return what is stored of some parts, as text and as HTML."""
    both = [_forms(part) for part in parts]
    return "\n\n".join(plain for plain, _ in both), "".join(shown for _, shown in both)


def _forms(part: Any) -> tuple[str, str]:
    if isinstance(part, str):
        text = part.rstrip("\n")
        return text, code_block(text) if "\n" in text else to_html(text)
    if hasattr(part, "_repr_mimebundle_"):
        bundle = part._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return data["text/plain"], data["text/html"]
    return repr(part), part._repr_html_()


def _widget(part: Any) -> ipywidgets.Widget:
    if isinstance(part, ipywidgets.Widget):
        return part
    return ipywidgets.HTML(_forms(part)[1], layout={"width": "auto"})


def _details(title: str, shown: str) -> str:
    return f"<details><summary>{html.escape(title)}</summary>{shown}</details>"
