"""The explorer of printed numbers: type one, and see which totals print like it."""

from __future__ import annotations

from cnnmem.count.find import Found, find
from cnnmem.errors import CnnmemError

from .choices import labels
from .controls import Dropdown, Text
from .explorer import Explorer, View

ZOO = "the whole zoo"


def find_number(
    text: str = "25.6M", network: str | None = None, *, size: int | None = None
) -> Explorer:
    """Return the explorer that looks for a printed number among the totals of the zoo.

    Controls: `text` (the number as it was printed, with its unit), `network` (a label of the zoo,
    or None for all of it). With `size` (pixels) only that one is tried.

    >>> find_number("25.64M", "resnet50").readout.splitlines()[0]
    '25.64M: found'
    """

    def view(text: str, network: str | None) -> View:
        if not text.strip():
            raise CnnmemError('type a number as it was printed: "25.6M", "93 MB", "4.1 GFLOPs"')
        found = find(text, network, size=size)
        return View((), _readout(found), (found.HEAD, found.rows), texts=1)

    return Explorer(
        "Where a number comes from",
        (
            Text("text", "the number", text, "as printed: 25.6M, 93 MB, 4.1 GFLOPs"),
            Dropdown("network", "network", ((ZOO, None), *((n, n) for n in labels())), network),
        ),
        view,
        help="Type a number from a paper, a README or a tool, with its unit, and press Enter. The "
        "table shows which totals print like it. The fewer matches chance would have given, the "
        "more a match says.",
    )


def _readout(found: Found) -> str:
    return f"{found.text}: {found.verdict}\n{found.sentence().removeprefix(found.text + ': ')}"
