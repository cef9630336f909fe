"""The explorers: live charts with controls, for JupyterLab, Notebook, VS Code, Colab and Voila.

Besides `cnnmem.exercises`, the only package of the kit that imports ipywidgets.
"""

from __future__ import annotations

from .audit import audit
from .bargain import bargain, blog_script
from .budget import budget
from .controls import Checkbox, Dropdown, Slider, Text
from .explore import explore
from .explorer import Explorer, View
from .find import find_number
from .one_layer import one_layer
from .opposite import opposite
from .over_time import over_time
from .overflow import overflow
from .pictures import flattened, taken_apart
from .reconciliation import reconciliation

__all__ = [
    "Checkbox",
    "Dropdown",
    "Explorer",
    "Slider",
    "Text",
    "View",
    "audit",
    "bargain",
    "blog_script",
    "budget",
    "explore",
    "find_number",
    "flattened",
    "one_layer",
    "opposite",
    "over_time",
    "overflow",
    "reconciliation",
    "taken_apart",
]
