"""The explorers: live charts with controls, for JupyterLab, Notebook, VS Code, Colab and Voila.

The only package of the kit that imports ipywidgets.
"""

from __future__ import annotations

from .controls import Choice, Number, Switch
from .explorer import Explorer, View
from .layers import bars_of, explore

__all__ = ["Choice", "Explorer", "Number", "Switch", "View", "bars_of", "explore"]
