"""Polls: read back by a reader of their own, and judged by the questions they come from."""

import csv
import io
import re

import pytest

from cnnmem.__main__ import main
from cnnmem.exercises.coding import Bug, Write
from cnnmem.exercises.ordering import Order
from cnnmem.lessons import registry
from cnnmem.lessons.polls import Answer, Poll, gift, polls, table

QUESTIONS = registry.every()
POLLS = tuple(polls(QUESTIONS))


def read_gift(text):
    """Return (name, question, [(right, answer, feedback)]) of each question, as Moodle reads it."""

    def plain(part):
        return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], part)

    part = r"((?:\\.|[^\\~=#{}:])*)"
    for block in text.strip().split("\n\n"):
        head, *lines, end = block.split("\n")
        name, question = re.fullmatch(rf"::{part}::\[markdown\]{part}{{", head).groups()
        assert end == "}"
        found = [re.fullmatch(rf"([=~]){part}#{part}", line).groups() for line in lines]
        answers = [(sign == "=", plain(answer), plain(said)) for sign, answer, said in found]
        yield plain(name), plain(question), answers


def test_gift_reads_back_as_it_was():
    read = list(read_gift(gift(POLLS)))
    assert [name for name, _, _ in read] == [f"{poll.id} {poll.title}" for poll in POLLS]
    for (_, question, answers), poll in zip(read, POLLS, strict=True):
        assert question == poll.text
        assert answers == [(one.right, one.text, one.feedback) for one in poll.answers]


def test_signs_of_gift_are_escaped():
    odd = Poll("a{b}", "c::d", "1 = 2 ~ 3 # 4\n\n5 \\ 6", (Answer("{=}", True, "a:b\\n"),))
    ((name, question, answers),) = read_gift(gift([odd]))
    assert (name, question) == ("a{b} c::d", odd.text)
    assert answers == [(True, "{=}", "a:b\\n")]


@pytest.mark.parametrize("poll", POLLS, ids=lambda poll: poll.id)
def test_a_poll_has_one_right_answer_and_wrong_ones_that_differ(poll):
    assert [one.right for one in poll.answers].count(True) == 1
    assert len({one.text for one in poll.answers}) == len(poll.answers) >= 3
    assert all(one.feedback for one in poll.answers)


def test_every_question_but_code_to_write_is_a_poll():
    made = {poll.id for poll in POLLS}
    for question in QUESTIONS:
        if not isinstance(question, Write):
            assert any(id == question.id or id.startswith(f"{question.id}-") for id in made)
    assert len(POLLS) > 60


@pytest.mark.parametrize(
    "question",
    [q for q in QUESTIONS if q.kind in ("choice", "number", "bug")],
    ids=lambda question: question.id,
)
def test_the_kit_judges_the_answers_of_a_poll_as_the_poll_does(question):
    (poll,) = polls([question])
    for one in poll.answers:
        assert question.judge(one.text).state == ("right" if one.right else "wrong"), one.text


def test_orders_and_bugs_show_what_is_asked():
    for question in QUESTIONS:
        if isinstance(question, Order):
            (poll,) = polls([question])
            assert all(one.text.count(" < ") == len(question.items) - 1 for one in poll.answers)
        if isinstance(question, Bug):
            (poll,) = polls([question])
            assert question.lines[question.line - 1] in poll.text


def test_csv_has_a_line_for_each_answer():
    rows = list(csv.DictReader(io.StringIO(table(POLLS))))
    assert len(rows) == sum(len(poll.answers) for poll in POLLS)
    assert {row["right"] for row in rows} == {"0", "1"}
    assert not any(value.startswith(("=", "+", "@")) for row in rows for value in row.values())


@pytest.mark.parametrize("form", ["list", "gift", "csv"])
def test_the_command_line_gives_a_lesson_s_questions(form, capsys):
    assert main(["questions", "--format", form, "--lesson", "06"]) == 0
    out = capsys.readouterr().out
    assert "06-" in out
    assert "02-where" not in out
    assert main(["questions", "--lesson", "99"]) == 2
    assert "no lesson is called '99'" in capsys.readouterr().err
