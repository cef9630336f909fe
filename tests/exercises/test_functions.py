"""Whatever a learner's function does, the learner gets feedback and the notebook survives."""

import math
import time
from dataclasses import replace

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
    """A value that cannot be sent to another process."""


HELPER = Helper()


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
    assert "1 seconds" in verdict.text
    assert time.monotonic() - began < 5


def test_a_loop_that_swallows_every_exception_is_stopped():
    verdict = CONV.judge(
        source("while True:", "    try:", "        x = 1", "    except:", "        x = 2")
    )
    assert verdict.slip == "endless"


def test_processes_started_by_a_stopped_function_are_stopped():
    verdict = CONV.judge(
        source("import subprocess, sys", "subprocess.run([sys.executable, '-c', 'while 1: pass'])")
    )
    assert verdict.slip == "endless"


@pytest.mark.parametrize(
    ("line", "slip", "said"),
    [
        ("return 1 / 0", "exception", "ZeroDivisionError: division by zero, in line 2"),
        ("return undefined", "exception", "NameError"),
        ("raise SystemExit(3)", "exception", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "exception", "KeyboardInterrupt"),
        ("return conv_params(c_in, c_out, kernel, groups, bias)", "exception", "RecursionError"),
        ("return [0] * 10 ** 12", "exception", "MemoryError"),
        ("import os; os._exit(0)", "ended", "ends Python"),
        ("x = 1", "None", "return"),
        (f"return float({RIGHT})", "float", "`//`"),
        ("return True", "type", "bool"),
        ("return 'many'", "type", "str"),
        ("return 2 ** 100_000", "huge", "thousand digits"),
        ("yield 1", "type", "generator"),
        ("class Odd(int): pass\n    return Odd(1)", "type", "Odd"),
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


def test_a_value_that_cannot_be_sent_is_named():
    def conv_params(c_in, c_out, kernel, groups, bias):
        return HELPER.count(c_in)

    verdict = CONV.judge(conv_params)
    assert verdict.slip == "left out"
    assert "`HELPER`" in verdict.text


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


def test_a_slow_call_keeps_the_results_before_it():
    outcome = sandbox.run(
        "def f(n):\n    while n > 2: pass\n    return n", "f", [(1,), (2,), (3,)], seconds=1
    )
    assert (outcome.results, outcome.stopped) == ((1, 2), "time")


def test_every_coding_question_has_a_time_limit_and_enough_inputs():
    for question in registry.every():
        if isinstance(question, Coding):
            assert 0 < question.seconds <= 10
            assert len(question.inputs) >= 5
