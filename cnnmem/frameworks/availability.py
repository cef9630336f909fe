"""Which of the packages that the lessons measure with are installed."""

from __future__ import annotations

from importlib.util import find_spec

from cnnmem.errors import look_up
from cnnmem.tables import aligned

# module name -> (title, the extra that installs it)
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
    """Return whether a framework is installed; if not, print one line saying what is left out.

    In lessons, a cell that needs a framework starts with
    `if available("torch", "the measured bytes"):`.
    """
    if installed(name):
        return True
    title, extra = FRAMEWORKS[name]
    print(f"{title} is not installed, so {what} is left out here ({_how_to_install(extra)}).")
    return False


def report() -> str:
    """Return what is installed, one line per package."""
    rows = [
        (title, "installed" if installed(name) else f"missing ({_how_to_install(extra)})")
        for name, (title, extra) in FRAMEWORKS.items()
    ]
    return "\n".join(aligned(rows, "<"))


def _how_to_install(extra: str) -> str:
    return f'pip install -e ".[{extra}]"'
