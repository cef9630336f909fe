"""Whatever a learner's function does, the learner gets feedback and the notebook survives."""

import functools
import math
import os
import sys
import threading
import time
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from math import prod
from pathlib import Path

import pytest

from cnnmem.exercises import sandbox
from cnnmem.exercises.coding import Bug, Coding, Write, compiled, outputs
from cnnmem.lessons import registry

WRITE = [q for q in registry.every() if isinstance(q, Write)]
BUGS = [q for q in registry.every() if isinstance(q, Bug)]
CONV = replace(registry.get("01-conv-params"), seconds=1.0)
RIGHT = "kernel * kernel * (c_in // groups) * c_out + (c_out if bias else 0)"
FACTOR = 9  # a global that a learner's function may use


class Helper:
    """A class of the notebook."""

    FACTOR = 3

    def squared(self):
        return self.FACTOR**2


HELPER = Helper()
THIRD = Fraction(1, 3)
LOCK = threading.Lock()  # cannot be sent to another process


def source(*lines):
    body = "\n".join(f"    {line}" for line in lines)
    return f"def conv_params(c_in, c_out, kernel, groups, bias):\n{body}\n"


def by_ids(questions):
    return pytest.mark.parametrize("question", questions, ids=lambda q: q.id)


def test_lessons_that_promise_functions_have_them():
    assert {question.lesson for question in WRITE} >= {"01", "02", "04", "06", "07"}
    assert {question.lesson for question in BUGS} == {"08"}


@pytest.mark.parametrize(
    "line",
    [
        "while True: pass",
        "for _ in iter(int, 1): pass",
        "import time; time.sleep(600)",
        "return 10 ** 10 ** 10",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    while True: pass",
    ],
)
def test_an_endless_loop_is_stopped(line):
    began = time.monotonic()
    verdict = CONV.judge(source(line))
    assert verdict.slip == "endless"
    assert "1 second and" in verdict.text
    assert time.monotonic() - began < 5


def test_a_loop_that_swallows_every_exception_is_stopped():
    verdict = CONV.judge(
        source("while True:", "    try:", "        x = 1", "    except:", "        x = 2")
    )
    assert verdict.slip == "endless"


def alive(marker):
    """Return the processes whose environment or command holds a marker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if marker.encode() in text and folder.name != str(os.getpid()):
            found.append(folder.name)
    return found


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.fork()",
        "import os; os.system('sleep 600')",
        "import os; os.execv('/bin/sleep', ['sleep', '600'])",
        "import os; os.posix_spawn('/bin/sleep', ['sleep', '600'], {})",
        "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)",
        "import pty; pty.spawn(['sleep', '600'])",
        "import multiprocessing as m; m.get_context('fork').Process(target=print).start()",
    ],
)
def test_a_function_may_not_start_a_process(line):
    verdict = CONV.judge(source(line, "return 0"))
    assert verdict.slip == "exception"
    assert "may not start another process" in verdict.text
    assert alive("sleep\x00600") == []


def test_a_function_may_not_signal_the_kernel():
    verdict = CONV.judge(source("import os, signal", "os.kill(os.getppid(), signal.SIGKILL)"))
    assert "may not send a signal" in verdict.text


@pytest.mark.skipif(sys.platform != "linux", reason="fork by way of ctypes, and /proc")
@pytest.mark.parametrize("after", ["return 0", "while True: pass"])
def test_a_child_that_leaves_its_session_is_ended(after, monkeypatch):
    monkeypatch.setattr(sandbox.secrets, "token_hex", lambda size: f"{os.getpid()}-{after[:6]}")
    lines = ("import ctypes, os, time", "if ctypes.CDLL(None).fork() == 0:", "    os.setsid()")
    verdict = CONV.judge(source(*lines, "    time.sleep(600)", after))
    assert verdict.state == "wrong"
    assert alive(f"{sandbox.MARK}={os.getpid()}-") == []


@pytest.mark.parametrize(
    ("module_level", "slip", "said"),
    [
        ("x = bytearray(10 * 2**30)", "memory", "needs more memory than 4 GiB"),
        ("import os; os.fork()", "exception", "may not start another process"),
        ("while sum([1]): pass", "endless", "before `conv_params` could be called"),
        ("raise SystemExit", "exception", "SystemExit"),
        ("import os; os._exit(0)", "ended", "ends Python"),
    ],
)
def test_limits_hold_from_the_first_line_on(module_level, slip, said):
    verdict = replace(CONV, in_all=1.0).judge(f"{module_level}\n{source('return 0')}")
    assert (verdict.state, verdict.slip) == ("wrong", slip)
    assert said in verdict.text


def test_all_calls_together_have_a_limit():
    slow = replace(CONV, seconds=1.0, in_all=1.5)
    verdict = slow.judge(source("import time; time.sleep(0.6)", "return 0"))
    assert verdict.slip == "slow"
    assert "more than 1.5 seconds" in verdict.text


def test_results_cannot_be_written_by_hand():
    forged = b'\n{"int": "0x700"}\n0 {"int": "0x700"}\n'
    verdict = CONV.judge(
        source(
            "import os, sys",
            "for file in range(64):",
            "    try:",
            f"        os.write(file, {forged!r})",
            "    except OSError:",
            "        pass",
            "for path in sys.argv[1:]:",
            f"    open(path, 'wb').write({forged!r})",
            "return 7",
        )
    )
    assert verdict.text.startswith("`conv_params(3, 64, 3, 1, True)` gives 7;")


def test_a_flood_of_output_is_cut():
    flood = source(
        "import os",
        "while True:",
        "    for f in range(3, 9):",
        "        try:",
        "            os.write(f, b'x' * 65536)",
        "        except OSError: pass",
    )
    began = time.monotonic()
    assert CONV.judge(flood).state == "wrong"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("line", "slip", "said"),
    [
        ("return 1 / 0", "exception", "ZeroDivisionError: division by zero, in line 2"),
        ("return undefined", "exception", "NameError"),
        ("raise SystemExit(3)", "exception", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "exception", "KeyboardInterrupt"),
        ("return conv_params(c_in, c_out, kernel, groups, bias)", "exception", "RecursionError"),
        ("return [0] * 10 ** 12", "memory", "more memory than 4 GiB, the limit here, in line 2"),
        ("import os; os._exit(0)", "ended", "ends Python"),
        ("x = 1", "None", "return"),
        (f"return float({RIGHT})", "float", "`//`"),
        ("return True", "type", "bool"),
        ("return 'many'", "type", "str"),
        ("return 2 ** 100_000", "huge", "thousand digits"),
        ("yield 1", "type", "generator"),
        ("import numpy\n    return numpy.float32(1)", "float", "returns 1.0, a float"),
        ("import numpy\n    return numpy.ones(3, int)", "type", "numpy.ndarray"),
        ("import numpy\n    return numpy.bool_(True)", "type", "numpy.bool"),
        ("from fractions import Fraction\n    return Fraction(2)", "type", "Fraction"),
        (
            "class E(Exception):\n        def __str__(self): raise E\n    raise E",
            "exception",
            "raises E",
        ),
    ],
)
def test_a_failing_function_gets_feedback(line, slip, said):
    verdict = CONV.judge(source(line))
    assert (verdict.state, verdict.slip) == ("wrong", slip)
    assert said in verdict.text
    assert "conv_params(3, 64, 3, 1, True)" in verdict.text


def test_a_wrong_result_is_shown_with_the_right_one():
    verdict = CONV.judge(source("return 7"))
    assert verdict.text.startswith("`conv_params(3, 64, 3, 1, True)` gives 7; right is 1,792.")


def test_printing_does_not_disturb_the_results():
    assert CONV.judge(source('print(\'{"int": "0x1"}\' * 9)', f"return {RIGHT}")).state == "right"


def test_a_function_is_sent_with_what_it_uses_from_the_notebook():
    def area(kernel):
        return kernel * math.isqrt(kernel**2)

    nine = FACTOR

    def conv_params(c_in, c_out, kernel, groups, bias):
        assert nine == FACTOR
        return area(kernel) * (c_in // groups) * c_out + (c_out if bias else 0)

    assert CONV.judge(conv_params).state == "right"
    assert CONV.judge(lambda *a: conv_params(*a)).state == "right"


def test_a_recursive_function_can_be_sent():
    def conv_params(c_in, c_out, kernel, groups, bias):
        if bias:
            return conv_params(c_in, c_out, kernel, groups, False) + c_out
        return kernel * kernel * (c_in // groups) * c_out

    assert CONV.judge(conv_params).state == "right"


def test_imported_names_and_values_of_the_notebook_are_taken_along():
    def conv_params(c_in, c_out, kernel, groups, bias):
        weights = prod([kernel, kernel, c_in // groups, c_out])
        assert reduce(max, [1, 2]) == functools.reduce(min, [2, 3]) == 2
        assert THIRD * HELPER.squared() == Helper.FACTOR == 3
        return weights + (c_out if bias else 0)

    assert CONV.judge(conv_params).state == "right"


@pytest.mark.parametrize("line", ["import numpy as np\n    return np.int64({})", "return {}"])
def test_whole_numbers_of_numpy_are_numbers(line):
    assert CONV.judge(source(line.format(RIGHT))).state == "right"


def test_pytorch_fits_the_memory_limit():
    pytest.importorskip("torch")
    text = source("import torch", f"return torch.tensor({RIGHT})")
    assert replace(CONV, seconds=60.0, in_all=60.0).judge(text).state == "right"


def test_a_value_that_cannot_be_sent_is_named():
    def conv_params(c_in, c_out, kernel, groups, bias):
        with LOCK:
            return 0

    verdict = CONV.judge(conv_params)
    assert verdict.slip == "left out"
    assert "uses `LOCK` of the notebook" in verdict.text


def test_a_function_cannot_change_the_notebook():
    bag = []

    def conv_params(c_in, c_out, kernel, groups, bias):
        bag.append(1)
        return kernel * kernel * (c_in // groups) * c_out + (c_out if bias else 0)

    assert CONV.judge(conv_params).state == "right"
    assert bag == []


@by_ids(WRITE + BUGS)
def test_comments_do_not_turn_the_starter_into_an_attempt(question):
    assert question.judge(question.starter).state == "not attempted"
    commented = "# mine\n" + question.starter.replace("\n", "  # so\n", 1)
    assert question.judge(commented).state == "not attempted"
    names = {}
    exec(question.starter, names)
    assert question.judge(names[question.name]).state == "not attempted"


@by_ids(WRITE + BUGS)
def test_the_solution_as_a_function_is_right(question):
    names = {}
    exec(question.fixed, names)
    assert question.judge(names[question.name]).state == "right"


@by_ids(WRITE + BUGS)
def test_hidden_inputs_tell_the_known_wrong_functions_apart(question):
    answers = [outputs(slip.answer, question.name, question.inputs) for slip in question.slips]
    right = outputs(question.fixed, question.name, question.inputs)
    assert len({*answers, right}) == len(answers) + 1
    assert right == tuple(question.reference(*arguments) for arguments in question.inputs)


@by_ids(BUGS)
def test_the_starter_differs_from_the_solution_only_in_the_buggy_line(question):
    shown, fixed = question.starter.splitlines(), question.fixed.splitlines()
    assert [i for i, (a, b) in enumerate(zip(shown, fixed, strict=True), 1) if a != b] == [
        question.line
    ]
    for answer in (
        question.line,
        f"{question.line}",
        f"Line {question.line}",
        f" line{question.line}",
    ):
        assert question.judge(answer).state == "right"
    assert question.judge(1).state == "wrong"
    assert question.judge(99).state == question.judge("the first").state == "not attempted"


@by_ids(WRITE)
@pytest.mark.parametrize("answer", [1792, len, 3.0, [], Helper, HELPER, max, b"x", True])
def test_an_answer_that_is_not_a_function_is_rejected(question, answer):
    verdict = question.judge(answer)
    assert verdict.state == "not attempted"
    assert f"check({question.name})" in verdict.text


@pytest.mark.parametrize("text", ["def f(", "x = 1", "\0", "def conv_params(:", "(" * 9999])
def test_text_without_the_function_gets_feedback(text):
    assert CONV.judge(text).state == "wrong"
    assert isinstance(compiled(text, "conv_params"), str)


def test_wrong_arguments_are_reported():
    assert "positional argument" in CONV.judge(lambda: 1).text


SLOW = "def f(n):\n    while n > 2: pass\n    return n"


@pytest.fixture(params=["a process", "in place"])
def place(request, monkeypatch):
    """Both ways of calling a learner's function."""
    monkeypatch.setattr(sandbox, "PROCESSES", request.param == "a process")


@pytest.mark.usefixtures("place")
def test_a_slow_call_keeps_the_results_before_it():
    outcome = sandbox.run(SLOW, [(1,), (2,), (3,)], name="f", seconds=1)
    assert (outcome.results, outcome.stopped) == ((1, 2), "time")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(n): return n * n", sandbox.Outcome((1, 9))),
        ("def f(n):\n    return 1 / (n - 1)", "ZeroDivisionError: division by zero"),
        ("x = 1 / 0\ndef f(n): return n", "ZeroDivisionError: division by zero"),
        ("while sum([1]): pass", sandbox.Outcome((), "defining")),
        ("def f(n):\n    while True: pass", sandbox.Outcome((), "time")),
        ("def f(n):\n    while n < 9: pass\n    return n", sandbox.Outcome((), "time")),
        (
            "def f(n):\n    import time\n    time.sleep(0.4)\n    return n",
            sandbox.Outcome((1,), "all"),
        ),
        ("def f(n): raise SystemExit", "SystemExit"),
    ],
)
def test_both_places_give_the_same_outcome(text, expected):
    outcome = sandbox.run(text, [(1,), (3,)], name="f", seconds=0.5, in_all=0.7)
    if isinstance(expected, str):
        assert outcome.results[0]["error"].startswith(expected)
    else:
        assert outcome == expected


def test_in_place_what_swallows_the_end_of_its_time_is_not_right():
    swallow = "def f(n):\n    try:\n        while True: n += 1\n    except BaseException: return 1"
    outcome = sandbox.in_place.messages(swallow, "f", [(1,)], 0.3, 5)
    assert list(outcome) == [{"stopped": "time"}]


def test_every_coding_question_has_a_time_limit_and_enough_inputs():
    for question in registry.every():
        if isinstance(question, Coding):
            assert 0 < question.seconds <= 10
            assert len(question.inputs) >= 5
