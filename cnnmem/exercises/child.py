"""The other side of `sandbox`: what calls a learner's function, in a process of its own.

It runs as a script: it reads a pickled job from standard input, and after each call it writes a
line to standard output. It imports nothing from the kit, so it starts fast and can be killed at any
moment. The limits hold before the learner's code is read: memory (where the system can limit it),
and no other processes. Each line begins with a word that only the two sides know, so what the
learner's code writes is never taken for a result. That stops accidents and jokes, not somebody who
searches the memory for the word.
"""

from __future__ import annotations

import json
import numbers
import operator
import os
import pickle
import sys
import types
from collections.abc import Callable
from typing import Any

MOST_TEXT = 200
MOST_BITS = 4096
STARTS = {
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile"),
    *("os.system", "pty.spawn", "subprocess.Popen", "_winapi.CreateProcess"),
}
SIGNALS = {"os.kill", "os.killpg", "signal.pthread_kill"}
NO_PROCESS = "a function that is checked may not start another process"
NO_SIGNAL = "a function that is checked may not send a signal"


def shown(error: BaseException) -> str:
    """Return an exception in one line, even if its own `__str__` raises."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        return name
    return f"{name}: {text}"[:MOST_TEXT] if text else name


def line_of(error: BaseException, code: types.CodeType | None) -> int:
    """Return the line of the function where an exception was raised; `def` is line 1."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            line = trace.tb_lineno - code.co_firstlineno + 1
        trace = trace.tb_next
    return line


def described(result: Any) -> dict[str, Any]:
    """Return a result as JSON can hold it: a whole number (NumPy's too), or what it is instead."""
    kind = type(result)
    if not isinstance(result, bool) and hasattr(kind, "__index__"):
        try:
            number = operator.index(result)
        except TypeError:  # an array of several numbers
            pass
        else:
            return {"int": hex(number)} if number.bit_length() <= MOST_BITS else {"huge": True}
    if isinstance(result, numbers.Real) and not isinstance(result, numbers.Rational):
        return {"type": "float", "text": repr(float(result))[:MOST_TEXT]}
    where = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return {"type": f"{where}{kind.__qualname__}"[:MOST_TEXT], "text": ""}


def call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Call the function and describe its result or its exception."""
    try:
        return described(function(*arguments))
    except BaseException as error:  # exit() and KeyboardInterrupt are results here too
        return failure(error, getattr(function, "__code__", None))


def failure(error: BaseException, code: types.CodeType | None = None) -> dict[str, Any]:
    """Describe an exception."""
    return {"error": shown(error), "line": line_of(error, code)}


def defined(source: str, name: str) -> Any:
    """Run a source text and return what it calls `name`."""
    names: dict[str, Any] = {"__name__": "learner"}
    exec(compile(source, "<answer>", "exec"), names)
    return names[name]


def limit(memory: int) -> None:
    """Limit the memory of this process in bytes, and refuse whatever starts or signals another."""
    try:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, ValueError, OSError):
        pass  # Windows has no such limit, and macOS does not keep it

    def refuse(event: str, _: Any) -> None:
        if event in STARTS:
            raise PermissionError(NO_PROCESS)
        if event in SIGNALS:
            raise PermissionError(NO_SIGNAL)

    sys.addaudithook(refuse)


def main(memory: int) -> None:
    """Read the job, define the function, call it on each input, and tell each result."""
    answers = os.dup(1)
    devnull = os.open(os.devnull, os.O_RDWR)
    limit(memory)
    job = pickle.load(sys.stdin.buffer)
    for standard in (0, 1, 2):
        os.dup2(devnull, standard)
    word = job["word"]

    def tell(message: dict[str, Any]) -> None:
        # a line of its own, whatever the learner's code has written before
        os.write(answers, f"\n{word} {json.dumps(message)}\n".encode())

    sys.path[:] = job["path"]
    tell({"started": True})
    try:
        if job["source"] is None:
            function = pickle.loads(job["function"])
        else:
            function = defined(job["source"], job["name"])
    except BaseException as error:
        tell(failure(error))
        return
    tell({"defined": True})
    for arguments in job["inputs"]:
        tell(call(function, arguments))


if __name__ == "__main__":
    main(int(sys.argv[1]))
