"""Calling a learner's function without risk to the notebook.

The function runs in a separate Python process, which is killed when its time is up. Only a process
can be stopped on Linux, macOS and Windows whatever it does: a trace function or an alarm does not
interrupt `10 ** 10 ** 9` or `time.sleep`, and `except:` catches what they raise. The function's
compiled code is sent with the modules, functions and plain values that it names. No source is
needed, so functions typed into a notebook cell work.
"""

from __future__ import annotations

import contextlib
import dis
import json
import marshal
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

CHILD = Path(__file__).with_name("child.py")
PLAIN = (int, float, complex, str, bytes, bool, type(None), tuple, list, dict, set, frozenset)


@dataclass(frozen=True)
class Outcome:
    """The results of the calls, in order: an int, or a dict that describes any other result.

    `stopped` is "" if all inputs were done, "time" after the time limit, "ended" if the process
    ended early (`os._exit`, a crash). `left_out` names globals that could not be sent.
    """

    results: tuple[int | dict[str, Any], ...]
    stopped: str = ""
    left_out: tuple[str, ...] = ()


def run(
    function: FunctionType | str,
    name: str,
    inputs: Sequence[tuple[Any, ...]],
    seconds: float = 5.0,
) -> Outcome:
    r"""Call a function, or the function `name` defined by a source text, on each input.

    `seconds` limits all the calls together.

    >>> run("def double(n):\n    return 2 * n", "double", [(1,), (21,)]).results
    (2, 42)
    >>> run("def stay():\n    while True: pass", "stay", [()], seconds=0.5).stopped
    'time'
    """
    left_out: list[str] = []
    job = {
        "name": name,
        "source": function if isinstance(function, str) else None,
        "function": None if isinstance(function, str) else _pack(function, left_out, {}),
        "inputs": list(inputs),
        "path": list(sys.path),
    }
    with tempfile.TemporaryDirectory(prefix="cnnmem-") as folder:
        out = Path(folder) / "results"
        in_time = _call(pickle.dumps(job), out, seconds)
        text = out.read_text(encoding="utf-8") if out.exists() else ""
    # the last line may have been cut short when the process was killed
    lines = text.split("\n")[:-1]
    results = tuple(_result(json.loads(line)) for line in lines)
    stopped = "" if len(results) == len(inputs) else ("ended" if in_time else "time")
    return Outcome(results, stopped, tuple(dict.fromkeys(left_out)))


def _call(job: bytes, out: Path, seconds: float) -> bool:
    """Run the process; return whether it ended within its time."""
    process = subprocess.Popen(
        # isolated and without site-packages, so that it starts fast
        [sys.executable, "-I", "-S", str(CHILD), str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        start_new_session=True,
    )
    try:
        process.communicate(job, timeout=seconds)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and any process that it started."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # they have already ended
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _result(line: dict[str, Any]) -> int | dict[str, Any]:
    return int(line["int"], 16) if "int" in line else line


def _pack(function: FunctionType, left_out: list[str], seen: dict[int, int]) -> dict[str, Any]:
    """Return what another process needs to rebuild the function."""
    if id(function) in seen:
        return {"id": seen[id(function)]}
    seen[id(function)] = len(seen)
    packed: dict[str, Any] = {
        "id": seen[id(function)],
        "name": function.__name__,
        "code": marshal.dumps(function.__code__),
        "globals": {},
    }
    for key in ("defaults", "kwdefaults"):
        value = getattr(function, f"__{key}__")
        packed[key] = value if _picklable(value) else None
    packed["closure"] = [
        _value(_contents(cell), name, left_out, seen)
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        )
    ]
    for name in _global_names(function.__code__):
        if name in function.__globals__:
            value = _value(function.__globals__[name], name, left_out, seen)
            if value is not None:
                packed["globals"][name] = value
    return packed


def _contents(cell: CellType) -> Any:
    """Return the value of a closure's cell; for an empty cell the cell, which cannot be sent."""
    try:
        return cell.cell_contents
    except ValueError:
        return cell


def _value(
    value: Any, name: str, left_out: list[str], seen: dict[int, int]
) -> tuple[str, Any] | None:
    if isinstance(value, ModuleType):
        return "module", value.__name__
    if isinstance(value, FunctionType):
        return "function", _pack(value, left_out, seen)
    if isinstance(value, PLAIN) and _picklable(value):
        return "value", pickle.dumps(value)
    left_out.append(name)
    return None


def _picklable(value: object) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # an object's own __reduce__ may raise anything
        return False
    return True


def _global_names(code: CodeType) -> Iterator[str]:
    """Yield the globals that a code object names, including its nested functions."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)
