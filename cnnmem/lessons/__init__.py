"""Questions in the notebooks: predict before seeing, check, hint, reveal.

    from . import ask, predict
    p = predict("02-params")      # a guess, committed before the explorer shows it
    p.on(explore("vgg16"))        # the guess stays on the chart; the distance is told
    q = ask("02-where")           # an exercise with check, hint and reveal

    progress("02")                # what was answered; `reset("02")` forgets it

`ask`, `predict` and `progress` need ipywidgets, the questions the standard library alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnmem.exercises.kernel import reset
    from cnnmem.exercises.overview import progress
    from cnnmem.exercises.panel import ask
    from cnnmem.exercises.prediction import predict

    from .registry import every, get

_HOME = {
    "ask": "exercises.panel",
    "predict": "exercises.prediction",
    "progress": "exercises.overview",
    "reset": "exercises.kernel",
    "every": "lessons.registry",
    "get": "lessons.registry",
}

__all__ = ["ask", "every", "get", "predict", "progress", "reset"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"cnnmem.{_HOME[name]}"), name)
    globals()[name] = value
    return value
