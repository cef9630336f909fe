"""Plausible wrong answers to every question that asks for a number: what is said is reviewed.

`test_sweep.txt` holds the verdicts as a person has read them. After a change, write it anew with
`python tests/lessons/test_sweep.py` and read the difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from cnnmem.exercises.number import Number
from cnnmem.lessons import registry

GOLDEN = Path(__file__).with_suffix(".txt")
QUESTIONS = [q for q in registry.every() if isinstance(q, Number)]
# each factor forgotten or doubled, each unit taken for another
FACTORS = {
    "x 2": Fraction(2),
    "/ 2": Fraction(1, 2),
    "x 3": Fraction(3),
    "x 4": Fraction(4),
    "/ 4": Fraction(1, 4),
    "x 8": Fraction(8),
    "/ 8": Fraction(1, 8),
    "x 9": Fraction(9),
    "/ 9": Fraction(1, 9),
    "x 1000": Fraction(1000),
    "/ 1000": Fraction(1, 1000),
    "x 1.048576": Fraction(2**20, 10**6),
    "/ 1.048576": Fraction(10**6, 2**20),
    "+ 1": None,
    "- 1": None,
    "x -1": Fraction(-1),
}
OF_BYTES = re.compile(r"\b(bytes?|MB|MiB|GB|GiB|KiB|kB|float32)\b")


def wrong(question: Number) -> Iterator[tuple[str, str]]:
    """Yield what was done to the right answer, and the answer as a learner would write it."""
    value = Fraction(question.value)
    for what, factor in FACTORS.items():
        changed = value * factor if factor else value + (1 if what == "+ 1" else -1)
        shown = changed / question.scale.size
        text = f"{float(shown):.6g}" if shown.denominator != 1 else f"{int(shown)}"
        yield what, f"{text} {question.scale.name}".strip()


def lines() -> Iterator[str]:
    for question in QUESTIONS:
        yield f"{question.id}: {question.show(question.solution)}"
        for what, answer in wrong(question):
            verdict = question.judge(answer)
            slip = f" [{verdict.slip}]" if verdict.slip else ""
            text = verdict.text.split(" A first step: ")
            tail = " A first step: ..." if len(text) > 1 else ""
            said = f"{text[0][:110]}{'...' * (len(text[0]) > 110)}{tail}"
            yield f"  {what:<11}{answer:<26}{verdict.state}{slip}: {said}"


def test_the_verdicts_are_as_they_were_read():
    assert "\n".join(lines()) + "\n" == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.id)
def test_bytes_are_spoken_of_only_where_bytes_are_asked(question):
    for _, answer in wrong(question):
        verdict = question.judge(answer)
        if question.scale.measure != "memory" and not verdict.slip and verdict.state == "wrong":
            assert not OF_BYTES.search(verdict.text.split(" A first step: ")[0]), answer


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.id)
def test_an_answer_that_is_not_recognised_gets_its_distance_and_a_first_step(question):
    for _, answer in wrong(question):
        verdict = question.judge(answer)
        if verdict.state == "wrong" and not verdict.slip:
            assert re.match(r"It is |Look at the sign|It is not zero", verdict.text), (
                answer,
                verdict.text,
            )


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(lines()) + "\n", encoding="utf-8")
