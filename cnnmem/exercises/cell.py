"""The learner's own cell: does the function that Python holds come from its latest text?"""

from __future__ import annotations

import ast
import re

from IPython.core.getipython import get_ipython


def broken_cell(name: str) -> str:
    """Return what is wrong with the cell that last tried to define a function; "" if nothing is.

    After a syntax error Python still holds the function from before, which must not be judged in
    place of the one on the page.
    """
    shell = get_ipython()
    history = getattr(shell, "history_manager", None)
    if shell is None or history is None:
        return ""
    for text in reversed(history.input_hist_raw):
        if re.search(rf"^\s*def\s+{re.escape(name)}\b", text, re.MULTILINE):
            try:
                ast.parse(shell.transform_cell(text))
            except SyntaxError as error:
                return (
                    f"Your cell with `def {name}` has a syntax error in line {error.lineno}: "
                    f"{error.msg}. Nothing was judged: correct the cell and run it first."
                )
            return ""
    return ""
