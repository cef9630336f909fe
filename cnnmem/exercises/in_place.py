"""Calling a learner's function in this very process, where there can be no other (in a browser).

A trace function raises an exception when the time is up. A loop that swallows it
(`except BaseException: pass`) and a single long operation go on: nothing in Python can end them, so
the panel says beforehand that the kernel may have to be restarted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, FunctionType
from typing import Any

from . import child


class TimeIsUp(BaseException):
    """The call has taken its time. Not an Exception, so that `except Exception` lets it pass."""


def messages(
    code: FunctionType | str,
    name: str,
    inputs: Sequence[tuple[Any, ...]],
    seconds: float,
    in_all: float,
) -> Iterator[dict[str, Any]]:
    """Yield a description of each result, or why there are no more; see `sandbox.run`."""
    end = time.monotonic() + in_all
    function: Any = code
    if isinstance(code, str):
        made: list[Any] = []
        said = _limited(lambda: made.append(child.defined(code, name)), (), end)
        if said is None or "error" in said:
            yield {"stopped": "defining"} if said is None else said
            return
        function = made[0]
    for arguments in inputs:
        now = time.monotonic()
        said = _limited(function, arguments, min(now + seconds, end))
        if said is None:
            yield {"stopped": "all" if time.monotonic() >= end else "time"}
            return
        yield said


def _limited(
    function: Callable[..., Any], arguments: tuple[Any, ...], end: float
) -> dict[str, Any] | None:
    """Return the description of a call's result, None if it did not end in time."""

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        frame.f_trace_opcodes = True  # Python 3.11 sees no new line in `while True: pass`
        if time.monotonic() > end:
            raise TimeIsUp
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        said = child.call(function, arguments)
    finally:
        sys.settrace(before)
    return said if time.monotonic() <= end else None
