"""cnnmem: where the memory of a convolutional network goes, and why published numbers disagree.

>>> import cnnmem
>>> table = cnnmem.summary("vgg16")
>>> table.params
138357544
>>> print(table.total("parameters-mib"))
527.79 MiB, parameters-mib: learned parameters in float32

Everything loads on first use: importing the package imports only the standard library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import published, units
    from .count import conventions, overflow, training
    from .count.convention import Convention, Count
    from .count.find import find
    from .count.reconciliation import Reconciliation, reconcile
    from .count.summary import Summary, summary
    from .count.table import Row
    from .count.totals import Total
    from .errors import CnnmemError, NetworkError, ShapeError, UnknownNameError
    from .model import layers, operations, zoo
    from .model.network import Builder, Network, Node

__version__ = "0.1.0"

# The module that defines each public name; `_MODULES` are the modules that are public themselves.
_HOME = {
    "Builder": "model.network",
    "CnnmemError": "errors",
    "Convention": "count.convention",
    "Count": "count.convention",
    "Network": "model.network",
    "NetworkError": "errors",
    "Node": "model.network",
    "Reconciliation": "count.reconciliation",
    "Row": "count.table",
    "ShapeError": "errors",
    "Summary": "count.summary",
    "Total": "count.totals",
    "UnknownNameError": "errors",
    "find": "count.find",
    "reconcile": "count.reconciliation",
    "summary": "count.summary",
}
_MODULES = {
    "charts": "charts",
    "conventions": "count.conventions",
    "frameworks": "frameworks",
    "layers": "model.layers",
    "lessons": "lessons",
    "operations": "model.operations",
    "overflow": "count.overflow",
    "published": "published",
    "training": "count.training",
    "units": "units",
    "widgets": "widgets",
    "zoo": "model.zoo",
}

__all__ = [
    "Builder",
    "CnnmemError",
    "Convention",
    "Count",
    "Network",
    "NetworkError",
    "Node",
    "Reconciliation",
    "Row",
    "ShapeError",
    "Summary",
    "Total",
    "UnknownNameError",
    "conventions",
    "find",
    "layers",
    "operations",
    "overflow",
    "published",
    "reconcile",
    "summary",
    "training",
    "units",
    "zoo",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    elif name in _MODULES:
        value = import_module(f".{_MODULES[name]}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_MODULES})
