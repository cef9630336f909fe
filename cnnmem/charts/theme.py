"""One look for screen and print: Okabe and Ito's colours, each with its own pattern.

Colours: Okabe and Ito, "Color Universal Design" (2008), without black (lost on a dark page).
"""

from __future__ import annotations

from typing import NamedTuple


class Fill(NamedTuple):
    """How one series is filled: ``lines`` is drawn with ``ink`` on an 8 x 8 tile of ``colour``."""

    colour: str
    ink: str
    lines: str  # SVG; empty is a plain fill
    hatch: str  # the same for matplotlib


FILLS = (
    Fill("#0072B2", "#fff", "", ""),
    Fill("#E69F00", "#000", '<path d="M-2,2L2,-2M0,8L8,0M6,10L10,6"/>', "////"),
    Fill("#009E73", "#fff", '<circle cx="2" cy="2" r=".8"/><circle cx="6" cy="6" r=".8"/>', ".."),
    Fill("#CC79A7", "#000", '<path d="M0,2H8M0,6H8"/>', "---"),
    Fill("#56B4E9", "#000", '<path d="M-2,6L2,10M0,0L8,8M6,-2L10,2"/>', "\\\\\\\\"),
    Fill("#D55E00", "#fff", '<path d="M0,0L8,8M0,8L8,0"/>', "xxx"),
    Fill("#F0E442", "#000", '<path d="M2,0V8M6,0V8"/>', "|||"),
)
"""The fills of the series, in order: as many as a reader can tell apart."""

UNKNOWN = Fill("#ffffff", "#000", '<path d="M-2,2L2,-2M0,8L8,0M6,10L10,6"/>', "////")
"""What has no explanation: hatched, without a colour."""

PATTERNS = (*FILLS, UNKNOWN)
"""All fills; a drawing refers to a pattern by its place here."""

GAIN, LOSS = FILLS[1], FILLS[0]
"""Waterfalls: a step up, a step down."""

LEVEL, REACHED = Fill("#808080", "#fff", "", ""), Fill("#404040", "#fff", "", "")
"""Waterfalls: the total that the steps begin with, and the one they end with."""

TEXT = 13  # the smallest size on a drawing 960 wide that can be read on a projector
TITLE = 16
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

INK = "var(--jp-ui-font-color1,inherit)"  # JupyterLab's text colour, else the page's
PAPER = "var(--jp-layout-color0,transparent)"  # behind text that crosses a bar
PAPER_SOLID = "var(--jp-layout-color0,#fff)"  # behind a tooltip, which must be readable
PRINT_INK = "#222"
PRINT_PAPER = "#fff"
