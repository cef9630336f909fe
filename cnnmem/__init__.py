"""cnnmem: where the memory of a convolutional network goes, and why published numbers disagree.

>>> import cnnmem
>>> table = cnnmem.summary("vgg16")
>>> table.params
138357544
>>> print(table.total("parameters-mib"))
527.79 MiB, parameters-mib: learned parameters in float32

Everything loads on first use: importing the package imports the standard library alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import conventions, folklore, layers, overflow, training, units, zoo
    from .bridge import Reconciliation, reconcile
    from .conventions import Convention, Count
    from .errors import CnnmemError, NetworkError, ShapeError, UnknownNameError
    from .network import Builder, Network, Node
    from .table import Row, Summary, summary
    from .totals import Total

__version__ = "0.1.0"

_HOME = {
    "Reconciliation": "bridge",
    "reconcile": "bridge",
    "Convention": "conventions",
    "Count": "conventions",
    "CnnmemError": "errors",
    "NetworkError": "errors",
    "ShapeError": "errors",
    "UnknownNameError": "errors",
    "Builder": "network",
    "Network": "network",
    "Node": "network",
    "Row": "table",
    "Summary": "table",
    "summary": "table",
    "Total": "totals",
}
_MODULES = (
    "charts",
    "conventions",
    "folklore",
    "from_keras",
    "from_torch",
    "layers",
    "lessons",
    "measure",
    "museum",
    "operations",
    "overflow",
    "to_keras",
    "to_torch",
    "training",
    "units",
    "widgets",
    "zoo",
)

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
    "folklore",
    "layers",
    "overflow",
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
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_MODULES})
