"""Nothing that a reader sees before a question gives its answer away.

For a prediction all that comes before it counts, the earlier lessons too; for an exercise, its own
lesson. A question that recalls an earlier lesson may ask what was told there, so that only its own
`reveals` count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from visible_text import number_pattern, visible

from cnnmem.exercises.coding import Coding
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import MB, MILLION, PERCENT, PIXELS, TIMES
from cnnmem.exercises.question import Question
from cnnmem.exercises.row import FillRow
from cnnmem.lessons import registry

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
ASKED = re.compile(r"""\b(ask|predict)\(\s*["']([^"']+)["']""")
READ_OFF = {"00-read", "00-kib"}  # their statement says where on the page the answer stands


class Place(NamedTuple):
    """A cell of a notebook, and what a reader sees of it."""

    lesson: str
    cell: int
    text: str


class Asked(NamedTuple):
    """A question of a notebook, how it is asked, and all places before it."""

    verb: str
    question: Question
    before: tuple[Place, ...]


def walk() -> Iterator[Asked]:
    """Yield the questions of all notebooks in order."""
    places: list[Place] = []
    for path in NOTEBOOKS:
        for i, cell in enumerate(nbformat.read(path, as_version=4).cells):
            if cell.cell_type == "code":
                for verb, id in ASKED.findall(cell.source):
                    yield Asked(verb, registry.get(id), tuple(places))
            places.append(Place(path.name[:2], i, visible(cell)))


EVERY = tuple(walk())


def patterns(question: Question) -> list[re.Pattern[str]]:
    """Return what would give a question away: its phrases, and the forms of its number."""
    found = [re.compile(re.escape(phrase), re.IGNORECASE) for phrase in question.reveals]
    if isinstance(question, Number) and not question.recalls:
        measure = "percent" if question.scale == PERCENT else question.scale.measure
        number = number_pattern(question.value, measure)
        if not number.search(question.statement):  # "as before" may be the answer
            found.append(number)
    return found


def spoilers(asked: Asked) -> list[str]:
    """Return the places before a question that give it away."""
    question = asked.question
    whole = asked.verb == "predict" and not question.recalls
    places = [p for p in asked.before if whole or p.lesson == question.lesson]
    return [
        f"{question.id}: lesson {place.lesson}, cell {place.cell}: {match[0]!r}"
        for place in places
        for pattern in patterns(question)
        if (match := pattern.search(place.text))
    ]


@pytest.mark.parametrize(
    "asked", [a for a in EVERY if a.question.id not in READ_OFF], ids=lambda a: a.question.id
)
def test_nothing_on_the_page_answers_a_question_before_it_is_asked(asked):
    assert spoilers(asked) == []


def test_every_question_says_what_would_give_it_away():
    """A number has its digits; the others need phrases, unless the answer is code or a row."""
    for asked in EVERY:
        question = asked.question
        if not (isinstance(question, Number | Coding | FillRow) or question.recalls):
            assert question.reveals, question.id
        for phrase in question.reveals:
            assert phrase.strip() == phrase != "", question.id


def test_every_question_is_asked_once():
    ids = [asked.question.id for asked in EVERY]
    assert len(set(ids)) == len(ids)
    assert set(ids) == {question.id for question in registry.every()}


def test_every_lesson_predicts_and_resolves_all():
    for path in NOTEBOOKS:
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        tree = ast.parse("\n".join(cell.source for cell in cells))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        predictions = [c for c in calls if getattr(c.func, "id", "") == "predict"]
        resolved = {
            c.func.value.id
            for c in calls
            if getattr(c.func, "attr", "") == "then"
            and not any(keyword.arg == "resolve" for keyword in c.keywords)
        }
        named = {
            node.targets[0].id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and node.value in predictions
        }
        assert len(predictions) == len(named) > 0, path.name
        assert named <= resolved, path.name


def number(id: str, value: Any, scale: Any) -> Number:
    return Number(
        id=id, title="", statement="", hints=("", "", ""), why="", value=value, scale=scale
    )


def phrase(id: str, *reveals: str) -> Question:
    return Question(id=id, title="", statement="", hints=("", "", ""), why="", reveals=reveals)


OLD = [
    ("02 c0", number("02-params", 138_357_544, MILLION), "# 02 · VGG-16: 138 million"),
    ("02 c6", number("02-share", 0.7427, PERCENT), "vgg16 at 224x224: fc1 holds 74.3 %"),
    ("03 c0", phrase("03-maps", "60 MB"), "# 03 · 93 MB or 60 MB?"),
    ("03 c0", registry.get("03-verdict"), "say which published number has no explanation"),
    ("04 c0", number("04-tipping", 1024, PIXELS), "images of 1024 x 1024 pixels, and it prints"),
    ("04 c6", registry.get("04-plausible"), "Type **1472** into the box."),
    ("04 c9", number("05-large", 2_183_080_744, MILLION), "all parameters: 2,183,080,744."),
    (
        "06 c0",
        phrase("06-ratio", "1/N + 1/K²"),
        "what a separable convolution saves, **1/N + 1/K²**",
    ),
    ("06 c37", registry.get("06-catch"), "## The catch"),
    ("02 c15", registry.get("02-recall-conv"), "Forgetting the biases is the usual slip."),
    ("03 c49", registry.get("03-order"), "| sum of all feature maps | 60.95 MB = 58.13 MiB |"),
]


@pytest.mark.parametrize(("where", "question", "text"), OLD, ids=lambda x: getattr(x, "id", None))
def test_what_once_gave_an_answer_away_is_found(where, question, text):
    lesson = question.lesson
    assert spoilers(Asked("predict", question, (Place(lesson, 0, text),)))
    assert not spoilers(Asked("predict", question, (Place(lesson, 0, "Nothing here."),)))


@pytest.mark.parametrize(
    ("value", "measure", "text", "found"),
    [
        (138_357_544, "count", "138M", True),
        (138_357_544, "count", "138.36 million", True),
        (138_357_544, "count", "138 357 544", True),
        (138_357_544, "count", "1138 or 138.5", False),
        (60_950_432, "memory", "58.1 MiB", True),
        (60_950_432, "memory", "61.0", True),
        (60_950_432, "memory", "61", False),
        (TIMES.size * 884 / 100, "ratio", "8.84 times", True),
        (MB.size * 553, "memory", "553,000,000", True),
    ],
)
def test_numbers_are_found_in_every_written_form(value, measure, text, found):
    assert bool(number_pattern(value, measure).search(text)) == found
