"""The other side of `sandbox`: a separate process that calls a learner's function.

It runs as a script and imports nothing from the kit, so it starts fast and can be killed at any
moment. It reads a pickled job from standard input and writes one line of JSON after each call.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import json
import marshal
import os
import pickle
import sys
import types
from typing import Any

MOST_TEXT = 200
MOST_BITS = 4096
MEMORY = 2**31


def unpack(packed: dict[str, Any], made: dict[int, Any]) -> types.FunctionType:
    """Rebuild the function from its code, its defaults and the globals that it names."""
    if packed["id"] in made:
        return made[packed["id"]]
    code = marshal.loads(packed["code"])
    names: dict[str, Any] = {"__builtins__": builtins, "__name__": "learner"}
    cells = tuple(types.CellType() for _ in packed["closure"])
    function = types.FunctionType(code, names, packed["name"], None, cells)
    made[packed["id"]] = function
    function.__defaults__ = packed["defaults"]
    function.__kwdefaults__ = packed["kwdefaults"]
    for name, value in packed["globals"].items():
        names[name] = value_of(value, made)
    for cell, value in zip(cells, packed["closure"], strict=True):
        if value is not None:  # what could not be sent stays empty: using it raises NameError
            cell.cell_contents = value_of(value, made)
    return function


def value_of(packed: tuple[str, Any], made: dict[int, Any]) -> Any:
    """Return the value of a name in the learner's notebook."""
    kind, value = packed
    if kind == "module":
        return importlib.import_module(value)
    if kind == "function":
        return unpack(value, made)
    return pickle.loads(value)


def shown(error: BaseException) -> str:
    """Return an exception in one line, even if its own `__str__` raises."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        return name
    return f"{name}: {text}"[:MOST_TEXT] if text else name


def line_of(error: BaseException, code: types.CodeType) -> int:
    """Return the line of the function where an exception was raised; `def` is line 1."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            line = trace.tb_lineno - code.co_firstlineno + 1
        trace = trace.tb_next
    return line


def call(function: types.FunctionType, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Call the function and describe its result."""
    try:
        result = function(*arguments)
    except BaseException as error:  # exit() and KeyboardInterrupt are results here too
        return {"error": shown(error), "line": line_of(error, function.__code__)}
    if type(result) is int:
        return {"int": hex(result)} if result.bit_length() <= MOST_BITS else {"huge": True}
    kind = type(result)
    where = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    text = repr(result) if kind in (float, bool, str, type(None)) else ""
    return {"type": f"{where}{kind.__qualname__}"[:MOST_TEXT], "text": text[:MOST_TEXT]}


def main(out: str) -> None:
    """Read the job, call the function on each of its inputs, write the results to a file."""
    job = pickle.loads(sys.stdin.buffer.read())
    sys.path[:] = job["path"]
    if job["source"] is not None:
        names: dict[str, Any] = {"__name__": "learner"}
        exec(compile(job["source"], "<answer>", "exec"), names)
        function = names[job["name"]]
    else:
        function = unpack(job["function"], {})
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    # not every system can limit memory, and a lower limit may already be set
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with open(out, "w", encoding="utf-8") as results:
        for arguments in job["inputs"]:
            print(json.dumps(call(function, arguments)), file=results, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
