"""Slides: what the lecturer shows and what the speaker notes say."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import slides

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def converted(path: Path) -> str:
    return slides.convert(nbformat.read(path, as_version=4), path.stem)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_slides_are_reproducible_load_nothing_remote_and_hide_the_code(path: Path) -> None:
    page = converted(path)
    assert page == converted(path)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [url for url in loaded if url.startswith(("http", "//"))] == []
    assert "from cnnmem" not in page  # every lesson imports from it; prose may still name a call
    assert page.count("data:image/svg+xml;base64,") >= 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_question_of_a_lesson_has_a_note_for_the_lecturer(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    asked = [
        found
        for cell in notebook.cells
        if cell.cell_type == "code"
        for found in slides.QUESTION.findall(cell.source)
    ]
    assert asked
    notes = [
        cell.source
        for cell in slides.pages(notebook)
        if cell.cell_type == "markdown" and cell.metadata["slideshow"]["slide_type"] == "notes"
    ]
    assert sum("**Ask the room:**" in text for text in notes) == len(asked)
    assert any(text.startswith("**Minutes:**") for text in notes)
    for found in asked:
        question = slides.get(found)
        text = slides.note(found)
        assert question.statement in text
        for slip in question.known:
            assert slip.hint in text


def test_slides_show_the_picture_instead_of_the_live_view() -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "02-vgg16-138-million.ipynb", as_version=4)
    for cell in slides.pages(notebook):
        for output in cell.get("outputs", ()):
            assert slides.WIDGET not in output.get("data", {})
