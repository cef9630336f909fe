"""The explorers: live charts with controls, for JupyterLab, Notebook, VS Code, Colab and Voila.

The only package of the kit that imports ipywidgets.
"""

from __future__ import annotations

from .audit import audit
from .bargain import bargain, blog_script
from .bridge import bridge
from .budget import budget
from .controls import Choice, Number, Switch
from .explorer import Explorer, View
from .layers import bars_of, explore
from .one_layer import one_layer
from .opposite import opposite
from .overflow import overflow
from .timeline import over_time

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
    "bridge",
    "budget",
    "explore",
    "one_layer",
    "opposite",
    "over_time",
    "overflow",
]
