"""The page for lecturers matches the questions, and the command counts them."""

import subprocess
import sys
from pathlib import Path

from cnnmem.lessons import page, registry
from cnnmem.lessons.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "lecturers.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page.page(), f"run: {page.COMMAND}"


def test_the_page_has_every_question_with_its_solution_and_wrong_answers():
    text = page.page()
    for question in registry.every():
        section = text.split(f"### `{question.id}` ")[1].split("\n### ")[0].split("\n## ")[0]
        assert "**Solution.**" in section
        table = [line for line in section.splitlines() if line.startswith("| ")]
        assert len(table) == 2 + len(question.known)
        assert all(line.replace("\\|", "").count("|") == 4 for line in table)


def test_the_command_prints_the_counts(capsys):
    assert main([]) == 0
    first, kinds, *_ = capsys.readouterr().out.splitlines()
    questions = registry.every()
    assert first == (
        f"{len(questions)} questions in {len(registry.LESSONS)} lessons, of "
        f"{len({q.kind for q in questions})} kinds, with "
        f"{sum(len(q.known) for q in questions)} known wrong answers"
    )
    assert kinds.startswith("kinds: ")


def test_the_command_writes_the_page_and_lists_the_questions(tmp_path, capsys):
    assert main(["--write", str(tmp_path / "docs" / "page.md")]) == 0
    assert (tmp_path / "docs" / "page.md").read_text(encoding="utf-8") == page.page()
    capsys.readouterr()
    assert main(["--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [question.id for question in registry.every()]


def test_questions_and_page_work_without_widgets_and_frameworks():
    code = (
        "import sys, cnnmem.lessons as l; l.every(); import cnnmem.lessons.page as p; p.page();"
        "sys.exit(any(m in sys.modules for m in ('ipywidgets', 'numpy', 'torch', 'keras')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_lesson_has_about_five_questions_and_later_ones_recall_earlier_ones():
    for number in registry.LESSONS:
        questions = registry.lesson(number).questions
        assert 5 <= len(questions) <= 9
        for question in questions:
            assert question.recalls <= number
    recalled = {q.lesson for q in registry.every() if q.recalls}
    assert recalled >= {"02", "03", "04", "05", "06", "07", "08"}


def test_every_kind_is_used():
    kinds = {question.kind for question in registry.every()}
    assert kinds == {"number", "choice", "order", "row", "function", "bug"}
