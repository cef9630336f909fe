"""The explorers: live charts with controls, for JupyterLab, Notebook, VS Code, Colab and Voila.

The only package of the kit that imports ipywidgets.
"""

from __future__ import annotations

from .audit import audit
from .bargain import bargain, blog_script
from .budget import budget
from .controls import Choice, Number, Switch
from .explore import bars_of, explore
from .explorer import Explorer, View
from .one_layer import one_layer
from .opposite import opposite
from .over_time import over_time
from .overflow import overflow
from .reconciliation import reconciliation

__all__ = [
    "Choice",
    "Explorer",
    "Number",
    "Switch",
    "View",
    "audit",
    "bargain",
    "bars_of",
    "blog_script",
    "budget",
    "explore",
    "one_layer",
    "opposite",
    "over_time",
    "overflow",
    "reconciliation",
]
