"""The questions as multiple choice, for a poll in a lecture or a quiz of a course system.

The options are the right answer and the known wrong ones, each with its hint. A row to fill in
becomes one poll a cell. Functions to write stay out: a poll cannot run them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cnnmem.exercises.choice import Choice
from cnnmem.exercises.coding import Bug, Write
from cnnmem.exercises.question import Question
from cnnmem.exercises.row import Cell, FillRow


@dataclass(frozen=True)
class Answer:
    """An option of a poll, and what is said to who chose it."""

    text: str
    right: bool
    feedback: str


@dataclass(frozen=True)
class Poll:
    """A multiple-choice question; exactly one answer is right."""

    id: str
    title: str
    text: str
    answers: tuple[Answer, ...]


def polls(questions: Iterable[Question]) -> Iterator[Poll]:
    """Yield the polls that questions make.

    >>> from cnnmem.lessons.registry import get
    >>> (poll,) = polls([get("00-slider")])
    >>> [(answer.text, answer.right) for answer in poll.answers]
    [('4 times', True), ('2 times', False), ('8 times', False), ('1 times', False)]
    """
    for question in questions:
        if isinstance(question, FillRow):
            for cell in question.cells:
                yield _cell(question, cell)
        elif not isinstance(question, Write):
            yield Poll(question.id, question.title, _text(question), _answers(question))


def _text(question: Question) -> str:
    """Return the statement, with the code that it speaks of."""
    if isinstance(question, Bug):
        code = "\n".join(f"    {line}" for line in question.body.split("\n"))
        return f"{question.statement}\n\n{code}"
    return question.statement


def _answers(question: Question) -> tuple[Answer, ...]:
    options = [(question.show(question.solution), True, question.why)]
    if isinstance(question, Bug):  # the repaired function would not fit a poll
        options = [(f"line {question.line}", True, question.why)]
    for slip in question.known:
        if not isinstance(question, Bug) or "def " not in slip.answer:
            text = slip.answer if isinstance(question, Bug) else question.show(slip.answer)
            options.append((text, False, slip.hint))
    if isinstance(question, Choice):  # in the order of their letters, which stand before them
        options.sort()
        options = [(text.partition(") ")[2], right, said) for text, right, said in options]
    return _different(options)


def _cell(question: FillRow, cell: Cell) -> Poll:
    options = [(cell.text, True, question.why)]
    options += [(cell.show(slip.answer), False, slip.hint) for slip in cell.slips]
    return Poll(
        f"{question.id}-{cell.name.lower()}",
        f"{question.title}: {cell.name}",
        f"{question.statement}\n\nWhat stands in the cell `{cell.name}`?",
        _different(options),
    )


def _different(options: list[tuple[str, bool, str]]) -> tuple[Answer, ...]:
    """Return the options; of those that read the same, the first."""
    first = {text: Answer(text, right, said) for text, right, said in reversed(options)}
    return tuple(first[text] for text in dict.fromkeys(text for text, _, _ in options))


def gift(chosen: Iterable[Poll]) -> str:
    r"""Return polls in GIFT, which Moodle and other course systems import.

    https://docs.moodle.org/en/GIFT_format, read 2026-11-27.

    >>> answers = (Answer("2", True, "Yes."), Answer("3", False, "No."))
    >>> print(gift([Poll("00-x", "Two", "1 + 1 = ?", answers)]))
    ::00-x Two::[markdown]1 + 1 \= ?{
    =2#Yes.
    ~3#No.
    }
    <BLANKLINE>
    """
    return "\n".join(
        f"::{_escaped(f'{poll.id} {poll.title}')}::[markdown]{_escaped(poll.text)}{{\n"
        + "".join(
            f"{'=' if one.right else '~'}{_escaped(one.text)}#{_escaped(one.feedback)}\n"
            for one in poll.answers
        )
        + "}\n"
        for poll in chosen
    )


def _escaped(text: str) -> str:
    """Return text whose signs mean nothing to GIFT, in one line."""
    return re.sub(r"([\\~=#{}:])", r"\\\1", text).replace("\n", "\\n")


def table(chosen: Iterable[Poll]) -> str:
    """Return polls as CSV, a line for each answer: id, title, question, answer, right, feedback."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["id", "title", "question", "answer", "right", "feedback"])
    for poll in chosen:
        for one in poll.answers:
            row = [poll.id, poll.title, poll.text, one.text, int(one.right), one.feedback]
            writer.writerow(row)
    return lines.getvalue()
