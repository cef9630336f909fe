"""One learner at one question: answer, check, hint, reveal. The widgets are in `panel`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import store
from .feedback import Note, State, Verdict
from .question import Lesson, Question

FIRST_TRY = "Try it first: a wrong answer teaches more than a read one. Ask again to see it anyway."
NO_MORE = "These are all three hints; after an attempt, Reveal shows the solution."
EMPTY: tuple[Any, ...] = (None, "", {}, [], ())


class Sitting:
    """What has happened at a question since it was asked.

    Given its `lesson`, it can say that this was the lesson's last question.

    >>> from cnnmem.exercises.choice import Choice, Option
    >>> question = Choice(id="00-x", title="", statement="", hints=("", "", ""), why="It is.",
    ...     options=(Option("fc1"), Option("fc2", hint="Smaller than fc1.")))
    >>> sitting = Sitting(question, keeps=False)
    >>> sitting.state, sitting.check(None).state, sitting.check("fc1").state
    ('not attempted', 'not attempted', 'right')
    """

    def __init__(
        self, question: Question, lesson: Lesson | None = None, keeps: bool = True
    ) -> None:
        self.question = question
        self.lesson = lesson
        self.keeps = keeps
        self.given: Any = question.blank
        self.entered: Any = None  # the content of the controls, now and when judged
        self.judged: Any = None
        self.state: State = "not attempted"
        self.verdict: Verdict | None = None
        self.note: Note | None = None  # a solution, or what else was said last
        self.attempts = self.hints = self.asked = 0
        self.revealed = False
        self.message = self.closing = ""

    @property
    def said(self) -> tuple[Verdict | Note, ...]:
        """All that stands below the question: the verdict, the hints given, the last note."""
        hints = (self._hint(i) for i in range(1, self.hints + 1) if not self._in_verdict(i))
        return tuple(each for each in (self.verdict, *hints, self.note) if each is not None)

    def check(self, answer: Any) -> Verdict:
        """Judge an answer; one that cannot be judged leaves the state as it was."""
        verdict = self.question.judge(answer)
        self.verdict, self.note, self.given, self.closing = verdict, None, answer, ""
        if verdict.state != "not attempted":
            self.state = verdict.state
            self.attempts += 1
            self._save()
        return verdict

    def refuse(self, why: str) -> Verdict:
        """Say why an answer is not judged."""
        self.verdict, self.note = Verdict("not attempted", why), None
        return self.verdict

    def hint(self) -> Note:
        """Give the next hint; after the last, say that there are no more."""
        if self.hints == len(self.question.hints):
            self.note = Note(NO_MORE)
            return self.note
        self.hints += 1
        if self._in_verdict(self.hints) and self.hints < len(self.question.hints):
            self.hints += 1
        self.note = None
        self._save()
        return self._hint(self.hints)

    def _in_verdict(self, number: int) -> bool:
        """Whether the verdict gives a hint already, as the first step."""
        return self.verdict is not None and self.question.hints[number - 1] in self.verdict.text

    def _hint(self, number: int) -> Note:
        hints = self.question.hints
        return Note(f"Hint {number} of {len(hints)}: {hints[number - 1]}")

    def reveal(self) -> Note:
        """Show the solution after an attempt, or when asked twice."""
        self.asked += 1
        if not self.attempts and self.asked < 2:
            self.note = Note(FIRST_TRY)
            return self.note
        self.revealed = True
        self.note = Note(solution_text(self.question))
        self._save()
        return self.note

    def kept_state(self) -> str:
        """Return the best state that is kept for this question."""
        if not self.keeps:
            return "not attempted"
        return store.load().records.get(self.question.id, store.Record()).state

    def last_answer(self) -> Any:
        """Return the last answer, from this or an earlier session; None if there is none."""
        if not self.keeps:
            return None
        kept = store.load()
        self.message = kept.message
        record = kept.records.get(self.question.id)
        return None if record is None or record.answer in EMPTY else record.answer

    def _save(self) -> None:
        if not self.keeps:
            return
        answer = self.given if _plain(self.given) else None
        record = store.Record(self.state, self.attempts, self.hints, self.revealed, answer)
        self.message, self.closing = keep(self.question, self.lesson, record)


def keep(question: Question, lesson: Lesson | None, record: store.Record) -> tuple[str, str]:
    """Save a record; return a message about the file, and one if this finished the lesson."""
    before = store.load()
    message = " ".join(filter(None, (before.message, store.save(question.id, record))))
    if lesson is None or finished(lesson, before.records):
        return message, ""
    if not finished(lesson, store.load().records):
        return message, ""
    return message, (
        f"That was the last question of lesson {lesson.number}: "
        f'`cnnmem.lessons.progress("{lesson.number}")` shows how far you have come.'
    )


def finished(lesson: Lesson, records: Mapping[str, store.Record]) -> bool:
    """Return whether every question of a lesson has been tried."""
    return all(
        records.get(question.id, store.Record()).state != "not attempted"
        for question in lesson.questions
    )


def solution_text(question: Question) -> str:
    """Return the solution and why it is right, as `reveal` shows it.

    >>> from cnnmem.exercises.choice import Choice, Option
    >>> question = Choice(id="00-x", title="", statement="", hints=("", "", ""), why="It is.",
    ...     options=(Option("fc1"), Option("fc2", hint="Smaller than fc1.")))
    >>> print(solution_text(question))
    Solution: a) fc1.
    <BLANKLINE>
    It is.
    """
    shown = question.show(question.solution)
    gap = "\n\n" if shown.startswith(" ") else " "
    return f"Solution:{gap}{shown.rstrip()}{_stop(shown)}\n\n{question.why}"


def _stop(text: str) -> str:
    return "" if text.endswith((".", "`")) or "\n" in text else "."


def _plain(answer: Any) -> bool:
    """Return whether the file can hold an answer: numbers, texts, lists and dicts of them."""
    if isinstance(answer, dict):
        return all(isinstance(key, str) and _plain(value) for key, value in answer.items())
    if isinstance(answer, list | tuple):
        return all(map(_plain, answer))
    if isinstance(answer, int | float):
        return True
    return isinstance(answer, str) and len(answer) < 10_000 and answer.isprintable()
