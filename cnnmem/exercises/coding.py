"""Questions whose answer is a function, written or repaired by the learner."""

from __future__ import annotations

import ast
import dis
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import CodeType, FunctionType
from typing import Any, ClassVar

from .feedback import Slip, Verdict
from .question import Question
from .sandbox import MEMORY, Outcome, run

Inputs = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Coding(Question):
    """How a function is judged, whether it was written or repaired.

    `name` is the function's name, `starter` its untouched source, `fixed` a correct source. The
    learner's function is called on the hidden `inputs`, and each result is compared with
    `reference`, cnnmem's own count. The answers of `slips` are sources too: a function that agrees
    with one of them on every input gets its hint. `seconds` limits each call, `in_all` all of them.
    """

    name: str
    starter: str
    fixed: str
    reference: Callable[..., int]
    inputs: Inputs
    slips: tuple[Slip, ...] = ()
    seconds: float = 2.0
    in_all: float = 10.0

    def judge_function(self, answer: FunctionType | str) -> Verdict:
        """Return the verdict on a function, or on source text that defines it."""
        code = compiled(answer, self.name)
        if isinstance(code, str):
            return Verdict("wrong", code, "no function")
        if _same(code, compiled(self.starter, self.name)):
            return Verdict("not attempted", f"Not attempted yet: `{self.name}` is as it was.")
        outcome = run(answer, self.inputs, name=self.name, seconds=self.seconds, in_all=self.in_all)
        trouble = self._trouble(outcome)
        if trouble is not None:
            return trouble
        expected = tuple(self.reference(*arguments) for arguments in self.inputs)
        if outcome.results == expected:
            return Verdict("right", self.why)
        for slip in self.slips:
            if outcome.results == outputs(slip.answer, self.name, self.inputs):
                return Verdict("wrong", slip.hint, slip.name)
        good = [a == b for a, b in zip(outcome.results, expected, strict=True)]
        first = good.index(False)
        return Verdict(
            "wrong",
            f"{self._call(first)} gives {outcome.results[first]:,}; right is {expected[first]:,}. "
            f"It is right for {sum(good)} of {len(good)} inputs.",
        )

    def _trouble(self, outcome: Outcome) -> Verdict | None:
        """Return the verdict if a call did not return an int; None if all did."""
        for i, result in enumerate(outcome.results):
            if isinstance(result, dict):
                return Verdict("wrong", *self._odd(self._call(i), result))
        if not outcome.stopped:
            return None
        call, loop = self._call(len(outcome.results)), "is there a loop that never ends?"
        uses = " and ".join(f"`{name}`" for name in outcome.left_out)
        text, slip = {
            "time": (
                f"{call} has no result after {_seconds(self.seconds)} and was stopped: {loop}",
                "endless",
            ),
            "all": (
                f"The calls together took more than {_seconds(self.in_all)} and were stopped at "
                f"{call}: count without a loop over every value.",
                "slow",
            ),
            "defining": (
                f"Your code ran for {_seconds(self.in_all)} before `{self.name}` could be called, "
                f"and was stopped: {loop}",
                "endless",
            ),
            "ended": (f"{call} ends Python instead of returning a number.", "ended"),
            "unsendable": (
                f"Your function uses {uses} of the notebook, which cannot be taken along: define "
                "it inside the function.",
                "left out",
            ),
        }[outcome.stopped]
        return Verdict("wrong", text, slip)

    def _odd(self, call: str, result: dict[str, Any]) -> tuple[str, str]:
        """Return the message for a result that is not an int, and its name."""
        if "huge" in result:
            return f"{call} gives a number of more than a thousand digits.", "huge"
        if "error" in result:
            line = f", in line {result['line']} of your function" if result["line"] else ""
            if result["error"].partition(":")[0] == "MemoryError":
                most = f"{MEMORY // 2**30} GiB"
                return f"{call} needs more memory than {most}, the limit here{line}.", "memory"
            return f"{call} raises {result['error']}{line}.", "exception"
        if result["type"] == "NoneType":
            return f"{call} returns None: is a `return` missing?", "None"
        if result["type"] == "float":
            return (
                f"{call} returns {result['text']}, a float. A count is a whole number: use `//` "
                "where a division is meant to be whole.",
                "float",
            )
        return f"{call} returns a {result['type']}; return a plain int.", "type"

    def show(self, answer: Any) -> str:
        return textwrap.indent(answer, "    ") if "\n" in str(answer) else str(answer)

    def _call(self, index: int) -> str:
        return f"`{self.name}({', '.join(map(repr, self.inputs[index]))})`"


@dataclass(frozen=True, kw_only=True)
class Write(Coding):
    r"""A small function to write: `check(function)`.

    >>> q = Write(id="00-x", title="", statement="", hints=("", "", ""), why="Yes.", name="f",
    ...     starter="def f(n):\n    ...", fixed="def f(n):\n    return n + 1",
    ...     reference=lambda n: n + 1, inputs=((1,), (2,)))
    >>> q.judge("def f(n):\n    return n").text
    '`f(1)` gives 1; right is 2. It is right for 0 of 2 inputs.'
    """

    kind: ClassVar[str] = "function"
    blank: ClassVar[Any] = None

    @property
    def solution(self) -> str:
        return self.fixed

    @property
    def known(self) -> tuple[Slip, ...]:
        return self.slips

    @property
    def body(self) -> str:
        return self.starter

    def judge(self, answer: Any) -> Verdict:
        if answer is None or answer == "":
            return Verdict("not attempted", f"Write `{self.name}` in a cell and run it first.")
        if isinstance(answer, FunctionType | str):
            return self.judge_function(answer)
        return Verdict(
            "not attempted",
            f"Pass the function itself, check({self.name}), not what it returns.",
        )


@dataclass(frozen=True, kw_only=True)
class Bug(Coding):
    """A counter with a bug: the learner names the line, or passes the repaired function.

    `line` is the line of the bug, counted from 1; `others` has a hint for each other line that a
    learner may suspect.
    """

    line: int
    others: tuple[tuple[int, str], ...]

    kind: ClassVar[str] = "bug"
    blank: ClassVar[Any] = None

    @property
    def solution(self) -> str:
        return f"line {self.line}"

    @property
    def known(self) -> tuple[Slip, ...]:
        lines = tuple(
            Slip(name=f"line {at}", answer=f"line {at}", hint=hint) for at, hint in self.others
        )
        return lines + self.slips

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the counter."""
        return tuple(self.starter.strip("\n").split("\n"))

    @property
    def body(self) -> str:
        return "\n".join(f"{i:>2}  {line}" for i, line in enumerate(self.lines, 1))

    def show(self, answer: Any) -> str:
        at = self._line(answer)
        if at is None or not 1 <= at <= len(self.lines):
            return super().show(answer)
        text = f"line {at}: `{self.lines[at - 1].strip()}`"
        return f"{text}. Repaired:\n\n{super().show(self.fixed)}" if at == self.line else text

    def judge(self, answer: Any) -> Verdict:
        if answer is None or answer == "":
            return Verdict("not attempted", "Choose the line with the bug, or repair the function.")
        at = self._line(answer)
        if at is not None:
            return self._judge_line(at)
        if isinstance(answer, FunctionType) or (isinstance(answer, str) and "def " in answer):
            return self.judge_function(answer)
        return Verdict(
            "not attempted",
            f"Give the number of a line, 1 to {len(self.lines)}, or the repaired function.",
        )

    def _line(self, answer: Any) -> int | None:
        if isinstance(answer, int) and not isinstance(answer, bool):
            return answer
        if isinstance(answer, str):
            digits = answer.casefold().replace("line", "").strip()
            if digits.isascii() and digits.isdecimal() and len(digits) < 5:
                return int(digits)
        return None

    def _judge_line(self, at: int) -> Verdict:
        if at == self.line:
            return Verdict("right", self.why)
        if not 1 <= at <= len(self.lines):
            return Verdict("not attempted", f"There are lines 1 to {len(self.lines)}.")
        hints = dict(self.others)
        if at in hints:
            return Verdict("wrong", hints[at], f"line {at}")
        return Verdict("wrong", f"Nothing is counted in line {at}: look where numbers come in.")


def _seconds(count: float) -> str:
    return f"{count:g} second{'' if count == 1 else 's'}"


def compiled(answer: FunctionType | str, name: str) -> CodeType | str:
    """Return a function's code; if the source does not define it, a message that says why."""
    if isinstance(answer, FunctionType):
        return answer.__code__
    try:
        tree = ast.parse(answer)
        module = compile(tree, "<answer>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"This is not Python: {getattr(error, 'msg', 'it cannot be read')}."
    for constant in module.co_consts:
        if isinstance(constant, CodeType) and constant.co_name == name:
            return constant
    return f"There is no function `{name}` in it."


def _same(a: CodeType, b: CodeType | str) -> bool:
    """Return whether two functions have the same bytecode: comments and spaces do not count."""
    return not isinstance(b, str) and _steps(a) == _steps(b)


def _steps(code: CodeType) -> list[tuple[str, Any]]:
    """Return the instructions of a code object without its position in a file."""
    return [
        (step.opname, _steps(step.argval) if isinstance(step.argval, CodeType) else step.argval)
        for step in dis.get_instructions(code)
    ]


@cache
def outputs(source: str, name: str, inputs: Inputs) -> tuple[int, ...]:
    r"""Return what one of our own functions, given as source text, returns for each input.

    >>> outputs("def f(n):\n    return -n", "f", ((1,), (2,)))
    (-1, -2)
    """
    names: dict[str, Any] = {}
    exec(compile(source, "<known wrong answer>", "exec"), names)
    return tuple(names[name](*arguments) for arguments in inputs)
