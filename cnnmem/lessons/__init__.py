"""Questions in the notebooks: predict before seeing, check, hint, reveal.

    from cnnmem.lessons import ask, predict
    head("02")                    # "3 of 8", and "start again"
    p = predict("02-where")       # a guess, committed before the explorer shows it
    p.then(explore("vgg16"))      # hidden until then; the guess stays on the chart
    ask("02-file")                # an exercise with check, hint and reveal
    fold("As text", "a table")    # closed until wanted
    in_steps(items, "Measuring")  # a bar while a slow cell works through the items
    progress()                    # what was answered; `reset("02")` forgets a lesson

These need ipywidgets; the questions themselves need only the
standard library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asking import ask, fold, head, in_steps, predict, progress, reset
    from .registry import every, get

# The questions are read without ipywidgets, which `asking` needs.
_HOME = {
    "ask": "asking",
    "fold": "asking",
    "head": "asking",
    "in_steps": "asking",
    "predict": "asking",
    "progress": "asking",
    "reset": "asking",
    "every": "registry",
    "get": "registry",
}

__all__ = ["ask", "every", "fold", "get", "head", "in_steps", "predict", "progress", "reset"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
