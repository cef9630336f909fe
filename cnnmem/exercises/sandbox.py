"""Calling a learner's function without risk to the notebook.

The function runs in a separate Python process, which is killed when its time is up. Only a process
can be stopped on Linux, macOS and Windows whatever it does: a trace function or an alarm does not
interrupt `10 ** 10 ** 9` or `time.sleep`, and `except:` catches what they raise. The function goes
there with what it uses of the notebook (cloudpickle): imported names by reference, the notebook's
own functions, classes and values by value. No source is needed.

A Python that runs in the browser has no processes. There the function is called in place, under a
trace function (`in_place`).

This protects a notebook from accidents. It is no wall against somebody who wants to get out:
files and the network are open to a learner's own code, as in any other cell.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import pickle
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from . import child, in_place

CHILD = Path(__file__).with_name("child.py")
MEMORY = 2**32  # of address space: NumPy's and PyTorch's libraries take a part of it
MOST_OUTPUT = 2**20
MARK = "CNNMEM_SANDBOX"
PROCESSES = sys.platform not in ("emscripten", "wasi")


@dataclass(frozen=True)
class Outcome:
    """The results of the calls, in order: an int, or a dict that describes any other result.

    `stopped` is "" if all inputs were done, "time" after the time limit of a call, "all" after that
    of all calls together, "defining" if the code before the first call took that long, "ended" if
    the process ended early (`os._exit`, a crash), "unsendable" if the function uses values that no
    process can take over. Their names are `left_out`.
    """

    results: tuple[int | dict[str, Any], ...]
    stopped: str = ""
    left_out: tuple[str, ...] = ()


def run(
    code: FunctionType | str,
    inputs: Sequence[tuple[Any, ...]],
    *,
    name: str = "",
    seconds: float = 2.0,
    in_all: float = 10.0,
    memory: int = MEMORY,
) -> Outcome:
    r"""Call a function, or the function `name` defined by a source text, on each input.

    `seconds` limits each call, `in_all` limits the calls together and what comes before them;
    `memory` is in bytes.

    >>> run("def double(n):\n    return 2 * n", [(1,), (21,)], name="double").results
    (2, 42)
    >>> run("def stay():\n    while True: pass", [()], name="stay", seconds=0.5).stopped
    'time'
    """
    job: dict[str, Any] = {"name": name, "source": code if isinstance(code, str) else None}
    if not PROCESSES:
        return _outcome(in_place.messages(code, name, inputs, seconds, in_all), len(inputs))
    if not isinstance(code, str):
        try:
            job["function"] = _pickled(code)
        except Exception as error:  # an object's own __reduce__ may raise anything
            return Outcome((), "unsendable", _unsendable(code) or (child.shown(error),))
    word = secrets.token_hex(16)
    job |= {"inputs": list(inputs), "path": list(sys.path), "word": word}
    with _process(word, memory) as process:
        lines = _lines(process, pickle.dumps(job), f"{word} ")
        return _outcome(_in_time(lines, seconds, in_all), len(inputs))


def _outcome(messages: Iterator[dict[str, Any]], count: int) -> Outcome:
    results: list[int | dict[str, Any]] = []
    for message in messages:
        if "stopped" in message:
            return Outcome(tuple(results), message["stopped"])
        results.append(int(message["int"], 16) if "int" in message else message)
        if len(results) == count:
            break
    return Outcome(tuple(results))


def _pickled(function: FunctionType) -> bytes:
    """Return the function as bytes, by value, whatever module it comes from."""
    import cloudpickle

    module = sys.modules.get(function.__module__)
    ours = module is not None and module.__name__ not in (
        "__main__",
        *cloudpickle.list_registry_pickle_by_value(),
    )
    if ours:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(function))
    finally:
        if ours:
            cloudpickle.unregister_pickle_by_value(module)


def _unsendable(function: FunctionType) -> tuple[str, ...]:
    """Return the names of the notebook's values that keep a function from being sent."""
    import cloudpickle

    used = inspect.getclosurevars(function)
    names = []
    for name, value in {**used.globals, **used.nonlocals}.items():
        try:
            _pickled(value) if isinstance(value, FunctionType) else cloudpickle.dumps(value)
        except Exception:
            names.append(name)
    return tuple(names)


@contextlib.contextmanager
def _process(word: str, memory: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the child; at the end kill it and whatever it started."""
    process = subprocess.Popen(
        # isolated and without site-packages, so that it starts fast
        [sys.executable, "-I", "-S", str(CHILD), str(memory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, MARK: word, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):  # they have ended
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        _kill_marked(word)


def _kill_marked(word: str) -> None:
    """Kill what has left the child's session: it has the child's environment."""
    mark = f"{MARK}={word}".encode()
    for _ in range(100):  # while one was ended, another may have been started
        found = False
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # of another user, or ended meanwhile
                if mark in environment.read_bytes():
                    os.kill(int(environment.parent.name), signal.SIGKILL)
                    found = True
        if not found:
            return
        time.sleep(0.01)


def _lines(process: subprocess.Popen[bytes], job: bytes, start: str) -> queue.Queue[Any]:
    """Return a queue of the child's messages, which ends with None."""
    messages: queue.Queue[Any] = queue.Queue()
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def write() -> None:
        with contextlib.suppress(OSError), stdin:  # it ended before it had read its job
            stdin.write(job)

    def read() -> None:
        taken, prefix = 0, start.encode()
        with contextlib.suppress(OSError, ValueError), stdout:
            while taken < MOST_OUTPUT and (line := stdout.readline(MOST_OUTPUT)):
                taken += len(line)
                if line.startswith(prefix) and line.endswith(b"\n"):
                    messages.put(json.loads(line[len(prefix) :]))
        messages.put(None)

    for work in (write, read):
        threading.Thread(target=work, daemon=True).start()
    return messages


def _in_time(messages: queue.Queue[Any], seconds: float, in_all: float) -> Iterator[dict[str, Any]]:
    """Yield the results; at the end of a time, or of the process, why there are no more."""
    message = messages.get()  # the child has started, or could not
    end = time.monotonic() + in_all
    waiting = "defining"
    while message is not None:
        left = max(0.0, end - time.monotonic())
        limit = left if waiting == "defining" else min(seconds, left)
        try:
            message = messages.get(timeout=limit)
        except queue.Empty:
            yield {"stopped": "all" if waiting == "time" and limit == left else waiting}
            return
        if message == {"defined": True}:
            waiting = "time"
        elif message is not None:
            yield message
    yield {"stopped": "ended"}
