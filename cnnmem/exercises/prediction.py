"""Predict first, then look: a committed guess stays on the chart beside the true value."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ipywidgets

from cnnmem.charts import Marker
from cnnmem.errors import CnnmemError
from cnnmem.reading import Reading, UnreadableError
from cnnmem.widgets import Explorer

from . import kernel, store
from .choice import Choice
from .entries import entry_of
from .feedback import Note, to_html
from .number import Number, apart
from .readable import DEFECT, Readable, plain_text, question_html, status
from .sitting import keep as keep_record
from .veil import Veil

GUESS = "your prediction"
_NEGATIVE = {"memory": "A number of bytes", "count": "A count", "ratio": "A ratio"}


class Prediction(Readable):
    """A question to guess at. What follows stays hidden until then, and says how far off it was.

    Raises `CnnmemError` for a question that is neither a number nor a choice.

    >>> from .quantity import MILLION
    >>> from .sitting import Sitting
    >>> question = Number(id="00-x", title="", statement="", hints=("", "", ""), why="In fc1.",
    ...     value=138357544, scale=MILLION)
    >>> prediction = Prediction(kernel.Memory(question, Sitting(question, keeps=False)))
    >>> after = prediction.then("what follows")
    >>> after.opened, prediction.commit("100 M"), after.opened
    (False, Noted: 100 M., True)
    >>> after.told
    'Your 100 M; it is 138.36 million: 28 % too low. In fc1.'
    """

    def __init__(self, memory: kernel.Memory) -> None:
        question = memory.question
        if not isinstance(question, Number | Choice):
            raise CnnmemError(
                f"{question.id} is of kind {question.kind!r}; only numbers and choices can be "
                f"predicted: use ask({question.id!r})"
            )
        self.question: Number | Choice = question
        self._memory = memory
        self._message = self._closing = self._told = ""
        self._explorers: list[Explorer] = []
        self._entry = entry_of(question)
        self._status = ipywidgets.HTML(layout={"width": "auto"})
        self._button = ipywidgets.Button(
            description="Predict", tooltip="keep the guess; then look", layout={"width": "auto"}
        )
        self._button.on_click(lambda _: self._guarded())
        super().__init__(
            [
                ipywidgets.HTML(question_html(question, body=question.kind != "choice")),
                self._entry.shown,
                ipywidgets.HBox([self._button]),
                self._status,
            ],
            layout={"width": "100%"},
        )
        self.add_class("cnnmem-prediction")
        self._begin()
        self._entry.on_change(self._changed)
        self._entry.on_enter(self._guarded)
        memory.on_forget.append(self._begin)

    def _begin(self) -> None:
        """Take up the guess that is kept, or none."""
        self._message = self._closing = ""
        self._entry.write(self.guess or None)
        self._say(f"Your guess {self.guess} is kept; you can change it." if self.guess else "")
        for explorer in self._explorers:
            explorer.predict(*self._markers())

    def _changed(self) -> None:
        given = self._entry.read()
        if self.guess and given and self.question.show(given) != self.guess:
            self._say(f"Your guess {self.guess} is kept until you press Predict again.")

    def _guarded(self) -> None:
        """Commit, and show an error, which ipywidgets would swallow."""
        try:
            self.commit()
        except Exception as error:
            self._say(DEFECT + repr(error))
            raise

    def commit(self, *guess: Any) -> Note:
        """Keep the guess that was entered, or the one passed here."""
        if guess:
            self._entry.write(guess[0])
        given = guess[0] if guess else self._entry.read()
        if given is None or given == "":
            return self._say("Give a guess first; a rough one is welcome.")
        trouble = self._unreadable(given)
        if trouble:
            return self._say(trouble)
        self._memory.guess = self.question.show(given)
        self._keep("predicted")
        for explorer in self._explorers:
            explorer.predict(*self._markers())
        note = self._say(f"Noted: {self._said}.")
        self._memory.open()
        return note

    def _keep(self, state: str) -> None:
        sitting = self._memory.sitting
        if sitting.keeps:
            record = store.Record(state, len(self.guess[:1]), 0, not self.guess, self.guess)
            self._message, self._closing = keep_record(self.question, sitting.lesson, record)

    def _unreadable(self, given: Any) -> str:
        """Return why a guess cannot be read; "" if it can."""
        if isinstance(self.question, Number):
            try:
                readings = self.question.readings(given)
            except UnreadableError as error:
                return f"{error}."
            if self.question.value > 0 and all(reading.value < 0 for reading in readings):
                return f"{_NEGATIVE[self.question.scale.measure]} is not negative."
            return ""
        return "" if self.question.index(given) is not None else "Choose one of the options."

    def then(self, *parts: Any, resolve: bool = True) -> Veil:
        """Return what follows: hidden until the reader has predicted or asks to see it.

        The guess is marked on charts of the quantity that was asked for. With `resolve`, the truth,
        the distance of the guess and what is behind it stand below the parts.
        """
        for part in parts:
            if isinstance(part, Explorer):
                self._explorers.append(part)
                part.predict(*self._markers())
        return Veil(
            self._memory,
            parts,
            told=(lambda: self.resolution) if resolve else (lambda: ""),
            stored=f"{self._truth()} {self.question.why}" if resolve else "",
            shown=lambda: self._keep("not attempted"),
        )

    @property
    def resolution(self) -> str:
        """The truth and why; with a guess, its distance and what it looks like."""
        if not self.guess:
            return f"{self._truth()} {self.question.why}"
        question, verdict = self.question, self.question.judge(self.guess)
        if isinstance(question, Choice):
            if verdict.state == "right":
                return f"You said {self._said}, and so it is. {question.why}"
            return f"You said {self._said}. {self._truth()} {verdict.text} {question.why}"
        slip = f" {verdict.text}" if verdict.slip else ""
        return f"Your {self._said}; {self._far()}.{slip} {question.why}"

    def _truth(self) -> str:
        if isinstance(self.question, Choice):
            return f"It is {self.question.show(self.question.solution).rstrip('.')}."
        return f"It is {self.question.scale.show(Fraction(self.question.value))}."

    def _far(self) -> str:
        assert isinstance(self.question, Number)
        reading, value = self._reading(), Fraction(self.question.value)
        if reading.value != value and self.question.rounds(reading):
            far = "right to the digits you gave"
        elif not reading.value:
            far = "0 is too low" if value > 0 else "0 is too high"
        else:
            far = apart(reading.value, value) if reading.value * value > 0 else "the sign differs"
        return f"it is {self.question.scale.show(value)}: {far}"

    @property
    def guess(self) -> str:
        """The guess as it was entered; "" before that."""
        return self._memory.guess

    @property
    def _said(self) -> str:
        """The guess in a sentence: a bare number with the unit that was asked for."""
        said = self.guess.rstrip(".")
        if isinstance(self.question, Number) and said.replace(".", "").isdecimal():
            said = f"{said} {self.question.scale.name}".rstrip()
        return said

    @property
    def feedback(self) -> str:
        """The latest feedback; "" at the start."""
        return self._told

    def _reading(self) -> Reading:
        """Return the guess in base units: the reading that is off by the smallest factor."""
        assert isinstance(self.question, Number)
        return min(self.question.readings(self.guess), key=self.question.remoteness)

    def _markers(self) -> tuple[Marker, ...]:
        """Return the marker of the guess; none if no chart shows the quantity asked for."""
        quantity = self.question.charted
        if not self.guess or not quantity:
            return ()
        if isinstance(self.question, Number):
            return (Marker(GUESS, value=self._reading().value, quantity=quantity),)
        category = self.question.options[self.question.index(self.guess) or 0].category
        return (Marker(GUESS, category=category, quantity=quantity),) if category else ()

    def _say(self, text: str) -> Note:
        self._told = text
        said = (text, self._message, self._closing)
        self._status.value = status([to_html(each) for each in said if each])
        return Note(text)

    def _texts(self) -> tuple[str, str]:
        return (
            "Predict: " + plain_text(self.question),
            question_html(self.question) + "<p><em>Run the cell to predict.</em></p>",
        )

    def __repr__(self) -> str:
        return f"<prediction {self.question.id}: {self.guess or 'none yet'}>"
