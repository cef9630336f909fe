"""What is installed of the frameworks that the lessons measure with, and what runs without them."""

from __future__ import annotations

from importlib.util import find_spec

from cnnmem.errors import look_up
from cnnmem.tables import aligned

# module to look for -> (what people call it, the extra that installs it)
FRAMEWORKS = {
    "torch": ("PyTorch", "torch"),
    "tensorflow": ("TensorFlow", "keras"),
    "keras": ("Keras", "keras"),
    "matplotlib": ("matplotlib", "lab"),
    "ipywidgets": ("ipywidgets", "lab"),
    "numpy": ("NumPy", "lab"),
    "pandas": ("pandas", "test"),
}


def installed(name: str) -> bool:
    """Return whether a framework can be imported, without importing it.

    >>> installed("no_such_thing")
    Traceback (most recent call last):
    ...
    cnnmem.errors.UnknownNameError: no framework is called 'no_such_thing'; there are torch, ...
    """
    look_up("framework", name, FRAMEWORKS)
    return find_spec(name) is not None


def available(name: str, what: str) -> bool:
    """Return whether a framework is installed; if not, print in one line what is left out.

    Lessons begin a cell that needs a framework with `if available("torch", "the measured bytes"):`.
    """
    if installed(name):
        return True
    title, extra = FRAMEWORKS[name]
    print(f'{title} is not installed, so {what} is left out here (pip install "cnnmem[{extra}]").')
    return False


def report() -> str:
    """Return what is installed, one line for each package."""
    rows = [
        (title, "installed" if installed(name) else f'missing (pip install "cnnmem[{extra}]")')
        for name, (title, extra) in FRAMEWORKS.items()
    ]
    return "\n".join(aligned(rows, "<"))
