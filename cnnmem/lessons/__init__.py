"""Questions in the notebooks: predict before seeing, check, hint, reveal.

    from cnnmem.lessons import ask, predict
    p = predict("02-params")      # a guess, committed before the explorer shows it
    p.on(explore("vgg16"))        # the guess stays on the chart; the distance is shown
    q = ask("02-where")           # an exercise with check, hint and reveal

    progress("02")                # what was answered; `reset("02")` forgets it

`ask`, `predict`, `progress` and `reset` need ipywidgets; the questions themselves need only the
standard library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asking import ask, predict, progress, reset
    from .registry import every, get

# The questions are read without ipywidgets, which `asking` needs.
_HOME = {
    "ask": "asking",
    "predict": "asking",
    "progress": "asking",
    "reset": "asking",
    "every": "registry",
    "get": "registry",
}

__all__ = ["ask", "every", "get", "predict", "progress", "reset"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
