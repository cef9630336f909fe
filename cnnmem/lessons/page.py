"""The page for lecturers: every question with its solution, known wrong answers and hints."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from cnnmem.exercises.coding import Bug, Coding
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.question import Question
from cnnmem.exercises.row import FillRow

from .registry import every, series

COMMAND = "python -m cnnmem.lessons --write docs/lecturers.md"


def counts() -> str:
    """Return the numbers of questions, kinds and known wrong answers, as text.

    >>> counts().splitlines()[0].split()[1]
    'questions'
    """
    questions = every()
    kinds = Counter(question.kind for question in questions)
    slips = sum(len(question.known) for question in questions)
    lines = [
        f"{len(questions)} questions in {len(series())} lessons, of {len(kinds)} kinds, with "
        f"{slips} known wrong answers",
        "kinds: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()),
        f"recall questions: {sum(bool(question.recalls) for question in questions)}",
    ]
    for lesson in series():
        known = sum(len(question.known) for question in lesson.questions)
        lines.append(
            f"  {lesson.number} {lesson.title}: {len(lesson.questions)} questions, "
            f"{known} known wrong answers"
        )
    return "\n".join(lines)


def listing() -> str:
    """Return one line for each question: id, kind, title."""
    return "\n".join(f"{q.id:<20}{q.kind:<10}{q.title}" for q in every())


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_page()).rstrip("\n") + "\n"


def _page() -> Iterator[str]:
    yield "# For lecturers: questions, solutions, known wrong answers"
    yield ""
    yield f"Written by `{COMMAND}`; do not edit. Numbers are computed by `cnnmem`."
    yield ""
    yield "**Students: the solutions are here.** The notebooks show them with *Reveal*."
    yield ""
    yield "```text"
    yield counts()
    yield "```"
    for lesson in series():
        yield ""
        yield f"## {lesson.number} {lesson.title}"
        for question in lesson.questions:
            yield ""
            yield from _question(question)


def _question(question: Question) -> Iterator[str]:
    yield f"### `{question.id}` {_markdown(question.title)}"
    yield ""
    recall = f" that recalls lesson {question.recalls}" if question.recalls else ""
    yield f"*A question of kind {question.kind}{recall}.*"
    yield ""
    yield _markdown(question.statement)
    if question.body:
        yield ""
        yield from _code(question.body)
    yield ""
    yield from _solution(question)
    yield ""
    yield f"**Why.** {_markdown(question.why)}"
    yield ""
    yield "**Hints.** " + " ".join(
        f"({i}) {_markdown(hint)}" for i, hint in enumerate(question.hints, 1)
    )
    yield ""
    yield "| wrong answer | behind it | what to say |"
    yield "| --- | --- | --- |"
    for slip in question.known:
        cells = (_wrong(question, slip), _markdown(slip.name), _markdown(slip.hint))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _solution(question: Question) -> Iterator[str]:
    if isinstance(question, Bug):
        yield f"**Solution.** Line {question.line}. Repaired:"
        yield ""
        yield from _code(question.fixed, "python")
    elif isinstance(question, Coding):
        yield "**Solution.**"
        yield ""
        yield from _code(question.fixed, "python")
    else:
        yield f"**Solution.** {_markdown(question.show(question.solution))}"


def _code(text: str, language: str = "text") -> Iterator[str]:
    yield f"```{language}"
    yield text.rstrip("\n")
    yield "```"


def _wrong(question: Question, slip: Slip) -> str:
    """Return a wrong answer as a table cell; of a function, the lines that differ from `fixed`."""
    if isinstance(question, Coding) and "def " in slip.answer:
        right = question.fixed.split("\n")
        lines = [line.strip() for line in slip.answer.split("\n") if line and line not in right]
        return " ".join(f"`{line}`" for line in lines)
    if isinstance(question, FillRow):
        name = slip.name.split(":")[0]
        return _markdown(f"{name} {slip.answer[name]}")
    return _markdown(question.show(slip.answer))


def _markdown(text: str) -> str:
    """Return text with Markdown's special characters escaped; `code` stays code."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(p if p.startswith("`") else re.sub(r"([*<>~\[\]])", r"\\\1", p) for p in parts)
