"""The notebooks ask existing questions, contain no solutions, and run with all of them answered."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from cnnmem import lessons
from cnnmem.exercises import kernel
from cnnmem.exercises.coding import Write
from cnnmem.frameworks import availability
from cnnmem.lessons import asking, registry

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
PREDICTED = re.compile(r"""\bpredict\(\s*["']([^"']+)["']""")
ASKED = re.compile(r"""\b(?:ask|predict)\(\s*["']([^"']+)["']""")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNMEM_DATA", str(tmp_path / "data"))
    kernel.restart()


def each():
    return pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def asked(path):
    return [id for cell in code_cells(path) for id in ASKED.findall(cell.source)]


def test_there_is_a_notebook_for_every_lesson():
    assert [path.name[:2] for path in NOTEBOOKS] == list(registry.LESSONS)


@each()
def test_a_notebook_asks_questions_that_exist(path):
    ids = asked(path)
    assert len(set(ids)) >= 5
    for id in ids:
        assert registry.get(id)


@each()
def test_functions_to_write_are_stored_untouched(path):
    for id in set(asked(path)):
        question = registry.get(id)
        if isinstance(question, Write):
            (cell,) = [c for c in code_cells(path) if f"def {question.name}(" in c.source]
            assert question.judge(cell.source).state == "not attempted"


@each()
def test_no_solution_is_stored_in_a_notebook(path):
    outputs = [str(output) for cell in code_cells(path) for output in cell.get("outputs", ())]
    predicted = {id for cell in code_cells(path) for id in PREDICTED.findall(cell.source)}
    for id in set(asked(path)) - predicted:  # what resolves a prediction is stored, and closed
        question = registry.get(id)
        for output in outputs:
            assert "Solution:" not in output
            assert question.why not in output
            for slip in question.known:
                assert slip.hint not in output


@each()
def test_a_notebook_runs_with_everything_answered_wrong_then_right(path, monkeypatch, capsys):
    panels, guesses = [], []

    def ask(id):
        answered = asking.ask(id)
        for slip in answered.question.known:
            assert answered.check(slip.answer).text == slip.hint
        answered.check(answered.question.solution)
        panels.append(answered)
        return answered

    def predict(id):
        guess = asking.predict(id)
        guess.commit(guess.question.known[0].answer)
        guesses.append(guess)
        return guess

    monkeypatch.setattr(lessons, "ask", ask, raising=False)
    monkeypatch.setattr(lessons, "predict", predict, raising=False)
    # the questions need no framework, and their cells cost a minute
    monkeypatch.setattr(availability, "installed", lambda name: False)
    monkeypatch.chdir(FOLDER)
    names = {"__name__": "notebook"}
    for cell in code_cells(path):
        exec(compile(ast.parse(cell.source), f"<{path.name}>", "exec"), names)
    assert panels
    assert {p.question.id for p in panels} | {g.question.id for g in guesses} == set(asked(path))
    assert all(p.state == "right" for p in panels)
    assert all(g.resolution for g in guesses)
