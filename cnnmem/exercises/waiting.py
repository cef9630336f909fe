"""A bar for cells that take more than a moment: how far they are, and that controls wait."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import TypeVar

import ipywidgets
from IPython.display import display

from .readable import LOOK, Readable

T = TypeVar("T")
WAIT = "Until it is done, the controls on this page wait."


class Waiting(Readable):
    """How many of `count` steps are done; empty at the end. A page without a kernel shows nothing.

    >>> bar = Waiting("Measuring two networks", 2)
    >>> "0 of 2" in bar.children[0].value, "1 of 2" in bar.step().children[0].value
    (True, True)
    >>> bar.step().children[0].value
    ''
    """

    def __init__(self, what: str, count: int) -> None:
        self.what, self.count, self.done = what, count, 0
        super().__init__([ipywidgets.HTML()])
        self.add_class("cnnmem-waiting")
        self._show()

    def step(self) -> Waiting:
        """Note that one more step is done."""
        self.done += 1
        self._show()
        return self

    def end(self) -> None:
        """Note that nothing is left to do, after an error too."""
        self.done = self.count
        self._show()

    def _show(self) -> None:
        bar = f'<progress value="{self.done}" max="{self.count}"></progress>'
        text = f"{html.escape(self.what)}: {self.done} of {self.count}. {WAIT}"
        said = f'<label role="status" style="{LOOK}">{bar} {text}</label>'
        self.children[0].value = said if self.done < self.count else ""

    def _texts(self) -> tuple[str, str]:
        return repr(self), ""

    def __repr__(self) -> str:
        return f"({self.what})"


def in_steps(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield items one by one, with a bar on the page that says how many are done.

    `what` says what is done with them ("Measuring five networks").

    >>> list(in_steps((1, 2), "Counting"))
    (Counting)
    [1, 2]
    """
    bar = Waiting(what, len(items))
    display(bar)
    try:
        for item in items:
            yield item
            bar.step()
    finally:
        bar.end()
