"""Which of the packages that the lessons measure with are installed."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec

from cnnmem.errors import look_up
from cnnmem.tables import aligned

# module name -> (title, the extra that installs it)
FRAMEWORKS = {
    "torch": ("PyTorch", "torch"),
    "keras": ("Keras", "keras"),
    "matplotlib": ("matplotlib", "lab"),
    "ipywidgets": ("ipywidgets", "lab"),
    "numpy": ("NumPy", "lab"),
    "pandas": ("pandas", "test"),
}
BACKENDS = ("tensorflow", "torch", "jax")  # Keras needs one of them


def installed(name: str) -> bool:
    """Return whether a framework can be imported, without importing it.

    >>> installed("no_such_thing")
    Traceback (most recent call last):
    ...
    cnnmem.errors.UnknownNameError: no framework is called 'no_such_thing'; there are torch, ...
    """
    look_up("framework", name, FRAMEWORKS)
    if name == "keras" and not any(find_spec(backend) for backend in BACKENDS):
        return False
    return find_spec(name) is not None


def available(name: str, what: str) -> bool:
    """Return whether a framework is installed; if not, print one line saying what is left out.

    In lessons, a cell that needs a framework starts with
    `if available("torch", "the measured bytes"):`. Keras is prepared for its import.
    """
    if installed(name):
        if name == "keras":
            prepare_keras()
        return True
    title, extra = FRAMEWORKS[name]
    print(f"{title} is not installed, so {what} is left out here ({_how_to_install(extra)}).")
    return False


def prepare_keras() -> None:
    """Choose how Keras will run; it reads the environment once, when it is imported.

    Where TensorFlow has no wheels (Python 3.14), Keras runs on PyTorch. TensorFlow is kept silent,
    and its results the same on every CPU. Whatever is set already stays.
    """
    if not find_spec("tensorflow"):
        os.environ.setdefault("KERAS_BACKEND", "torch")
    elif "tensorflow" not in sys.modules and find_spec("triton"):
        # PyTorch's CUDA builds bring Triton. Imported after TensorFlow (2.21, Triton 3.7) it ends
        # Python with a segmentation fault, because both hold an LLVM; the other order works.
        import_module("triton")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def report() -> str:
    """Return what is installed, one line per package."""
    rows = [
        (title, "installed" if installed(name) else f"missing ({_how_to_install(extra)})")
        for name, (title, extra) in FRAMEWORKS.items()
    ]
    return "\n".join(aligned(rows, "<"))


def _how_to_install(extra: str) -> str:
    return f'pip install -e ".[{extra}]"'
