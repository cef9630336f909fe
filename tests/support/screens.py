"""What an explorer shows, read back from the HTML on the screen."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from cnnmem.widgets import Explorer


def drawing(explorer: Explorer) -> str:
    """Return the first drawing on the screen; all of them, narrow ones too, must be well-formed."""
    found: list[str] = re.findall(r"<svg.*?</svg>", explorer._screen.value, re.DOTALL)
    for one in found:
        ET.fromstring(one)
    return found[0]
