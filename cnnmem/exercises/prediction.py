"""Predict first, then look: a committed guess stays on the chart beside the true value."""

from __future__ import annotations

import html
from fractions import Fraction
from typing import Any

import ipywidgets

from cnnmem.charts import Chart, Marker
from cnnmem.errors import CnnmemError
from cnnmem.reading import Reading, UnreadableError
from cnnmem.widgets import Explorer

from . import kernel, store
from .choice import Choice
from .entries import entry_of
from .feedback import Note, to_html
from .number import Number, apart
from .panel import DEFECT, LOOK, Readable, plain_text, question_html
from .question import Lesson, Question
from .sitting import keep as keep_record

NOT_YET = "You have not predicted anything yet."
_NEGATIVE = {"memory": "A number of bytes", "count": "A count", "ratio": "A ratio"}


class Prediction(Readable):
    """A question to guess at. Nothing is judged as right or wrong: the distance teaches.

    `kept` is a guess committed earlier, which the prediction takes up. Given its `lesson`, the
    prediction can say that this was the lesson's last question.

    Raises `CnnmemError` for a question that is neither a number nor a choice.

    >>> from cnnmem.exercises.quantity import MILLION
    >>> question = Number(id="00-x", title="", statement="", hints=("", "", ""), why="",
    ...     value=138357544, scale=MILLION)
    >>> prediction = Prediction(question, keep=False)
    >>> prediction.commit("100 M")
    Noted: 100 M. ...
    >>> prediction.compare()
    Your 100 M; it is 138.36 million: 28 % too low.
    """

    def __init__(
        self,
        question: Question,
        lesson: Lesson | None = None,
        keep: bool = True,
        kept: kernel.Guess | None = None,
    ) -> None:
        if not isinstance(question, Number | Choice):
            raise CnnmemError(
                f"{question.id} is of kind {question.kind!r}; only numbers and choices can be "
                f"predicted: use ask({question.id!r})"
            )
        self.question: Number | Choice = question
        self._lesson = lesson
        self._keep = keep
        self._kept = kernel.Guess() if kept is None else kept
        self._kept.teller = self
        self._message = self._closing = ""
        self._told: Note | None = None
        self._entry = entry_of(question)
        self._status = ipywidgets.HTML(layout={"width": "100%"})
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
        self._show("")
        if self.guess:
            self._entry.write(self.guess)
            self._say(Note(f"Your guess {self.guess} is kept; you can change it."))
            for explorer in self._kept.explorers:
                self._look(explorer)
        self._entry.on_change(self._changed)
        self._entry.on_enter(self._guarded)

    def _changed(self) -> None:
        given = self._entry.read()
        if self.guess and given and self.question.show(given) != self.guess:
            self._show(f"Your guess {self.guess} is kept until you press Predict again.")

    def _guarded(self) -> None:
        """Commit, and show an error, which ipywidgets would swallow."""
        try:
            self.commit()
        except Exception as error:
            self._show(DEFECT + repr(error))
            raise

    def commit(self, *guess: Any) -> Note:
        """Keep the guess that was entered, or the one passed here."""
        if guess:
            self._entry.write(guess[0])
        given = guess[0] if guess else self._entry.read()
        if given is None or given == "":
            return self._say(Note("Give a guess first; a rough one is welcome."))
        trouble = self._unreadable(given)
        if trouble:
            return self._say(Note(trouble))
        self._kept.text = self.question.show(given)
        if self._keep:
            record = store.Record("predicted", 1, 0, False, str(given))
            self._message, self._closing = keep_record(self.question, self._lesson, record)
        for explorer in self._kept.explorers:
            self._mark(explorer)
        note = self._say(Note(f"Noted: {self.guess}. Now look whether it is so."))
        for explorer in self._kept.explorers:
            self._look(explorer)
        return self._told or note

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

    def on(self, explorer: Explorer) -> Explorer:
        """Mark the guess on an explorer's chart; report the distance once the truth is shown.

        Return the explorer, so that a cell can end with it.
        """
        kept = self._kept
        if explorer not in kept.explorers:
            kept.explorers.append(explorer)
            explorer.watch(lambda: kept.teller._look(explorer))
        self._mark(explorer)
        self._look(explorer)
        return explorer

    def compare(self) -> Note:
        """Show the guess, the truth and the distance."""
        if not self.guess:
            return Note(NOT_YET)
        return self._say(Note(self.distance))

    @property
    def distance(self) -> str:
        """The guess compared with the truth; "" without a guess."""
        if not self.guess:
            return ""
        if isinstance(self.question, Choice):
            truth = self.question.options[self.question.right].text
            if self.question.index(self.guess) == self.question.right:
                return f"You said {self.guess}, and so it is."
            return f"You said {self.guess}; it is {truth}."
        reading, value = self._reading(), Fraction(self.question.value)
        if reading.value != value and self.question.rounds(reading):
            far = "right to the digits you gave"
        elif not reading.value:
            far = "0 is too low" if value > 0 else "0 is too high"
        else:
            far = apart(reading.value, value) if reading.value * value > 0 else "the sign differs"
        return f"Your {self.guess}; it is {self.question.scale.show(value)}: {far}."

    @property
    def guess(self) -> str:
        """The guess as it was entered; "" before that."""
        return self._kept.text

    @property
    def feedback(self) -> str:
        """The latest feedback; "" at the start."""
        return "" if self._told is None else str(self._told)

    def _reading(self) -> Reading:
        """Return the guess in base units: the reading closest to the truth."""
        assert isinstance(self.question, Number)
        truth = self.question.value
        return min(self.question.readings(self.guess), key=lambda r: abs(r.value - truth))

    def _mark(self, explorer: Explorer) -> None:
        if not self.guess:
            return
        if isinstance(self.question, Number):
            explorer.predict(Marker("your prediction", value=self._reading().value))
            return
        index = self.question.index(self.guess)
        category = self.question.options[index or 0].category
        if category:
            explorer.predict(Marker("your prediction", category=category))

    def _look(self, explorer: Explorer) -> None:
        charts = explorer.view.charts if explorer.view is not None else ()
        if self.guess and not explorer.message and any(map(self._tells, charts)):
            self._say(Note(self.distance))

    def _tells(self, chart: Chart) -> bool:
        """Return whether a chart shows the truth."""
        if isinstance(self.question, Choice):
            return chart.tells(self.question.options[self.question.right].category)
        return chart.tells(self.question.value)

    def _say(self, note: Note) -> Note:
        self._told = note
        self._show(str(note))
        return note

    def _show(self, text: str) -> None:
        trouble = f"<p>{html.escape(self._message)}</p>" if self._message else ""
        told = "".join(to_html(said) for said in (text, self._closing) if said)
        self._status.value = f'<div role="status" style="{LOOK}">{told}{trouble}</div>'

    def _texts(self) -> tuple[str, str]:
        return (
            "Predict: " + plain_text(self.question),
            question_html(self.question) + "<p><em>Run the cell to predict.</em></p>",
        )

    def __repr__(self) -> str:
        return f"<prediction {self.question.id}: {self.guess or 'none yet'}>"
