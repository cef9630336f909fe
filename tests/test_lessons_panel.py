"""Questions on the screen: driven as a learner drives them, readable without a kernel."""

import html
import re
import sys

import ipywidgets
import pytest

from cnnmem.errors import CnnmemError, UnknownNameError
from cnnmem.lessons import ask, predict, registry
from cnnmem.lessons.coding import Bug, Write
from cnnmem.lessons.number import Number
from cnnmem.lessons.panel import Panel, _sitting
from cnnmem.lessons.prediction import NOT_YET, Prediction
from cnnmem.lessons.sitting import FIRST_TRY, Sitting
from cnnmem.lessons.store import load
from cnnmem.widgets import explore

EVERY = registry.every()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNMEM_DATA", str(tmp_path / "data"))
    _sitting.cache_clear()
    return tmp_path / "data"


def each(questions=EVERY):
    return pytest.mark.parametrize("question", questions, ids=lambda q: q.id)


def data(widget):
    bundle = widget._repr_mimebundle_()
    return bundle[0] if isinstance(bundle, tuple) else bundle


def status(panel):
    return panel.children[-1].value


def controls(widget):
    """All widgets inside one that take an answer or a press."""
    if isinstance(widget, ipywidgets.Box):
        return [found for child in widget.children for found in controls(child)]
    kinds = (ipywidgets.Text, ipywidgets.Dropdown, ipywidgets.RadioButtons, ipywidgets.Button)
    return [widget] if isinstance(widget, kinds) else []


@each()
def test_a_learner_answers_in_the_widgets_wrong_in_each_way_then_right(question):
    panel = ask(question.id)
    assert (panel.state, panel.feedback) == ("not attempted", "")
    assert panel.press("Check").state == "not attempted"
    for slip in question.known:
        verdict = panel.answer(slip.answer).check()
        assert (verdict.state, verdict.text) == ("wrong", slip.hint)
        assert panel.feedback == f"Wrong. {slip.hint}"
        assert html.escape(slip.hint.split("`")[0]) in status(panel)
    panel.answer(question.solution).press("Check")
    assert panel.state == "right"
    assert load().records[question.id].state == "right"


@each()
def test_the_ladder_of_hints_and_the_reveal(question):
    panel = ask(question.id)
    assert str(panel.reveal()) == FIRST_TRY
    said = [str(panel.hint()) for _ in range(4)]
    assert [text[:11] for text in said] == [
        "Hint 1 of 3",
        "Hint 2 of 3",
        "Hint 3 of 3",
        "Hint 1 of 3",
    ]
    assert str(panel.reveal()).startswith("Solution:")
    assert panel.state == "not attempted"
    ask(question.id).check(question.known[0].answer)
    assert question.why in str(ask(question.id).reveal())


def test_what_is_asked_in_one_cell_after_the_other_goes_on():
    """A function is checked by a line of its own, where no panel stands."""
    assert ask("01-conv-params").check(lambda *a: 0).state == "wrong"
    assert str(ask("01-conv-params").hint()).startswith("Hint 1 of 3")
    assert str(ask("01-conv-params").hint()).startswith("Hint 2 of 3")
    assert str(ask("01-conv-params").reveal()).startswith("Solution:")


@each()
def test_without_a_kernel_the_question_is_readable_and_holds_no_solution(question):
    panel = ask(question.id)
    fresh = data(panel)
    panel.check(question.known[0].answer)
    panel.check(question.solution)
    panel.reveal()
    after = data(panel)
    for key in ("text/plain", "text/html"):
        assert fresh[key] == after[key] == data(ask(question.id))[key]
    plain = fresh["text/plain"]
    assert question.statement in plain
    assert question.body in plain
    secrets = [question.why, *question.hints, *(slip.hint for slip in question.known)]
    if isinstance(question, Number):
        secrets.append(question.exact())
    if isinstance(question, Write | Bug):
        secrets.append(question.fixed)
    for secret in secrets:
        assert secret not in plain
        assert html.escape(secret) not in fresh["text/html"]


@each()
def test_a_fresh_display_does_not_know_what_was_answered_before(question):
    first = ask(question.id)
    before = data(first), status(first)
    first.check(question.solution)
    again = ask(question.id)
    assert data(again)["text/html"] == before[0]["text/html"]
    assert status(again) == before[1]


@each()
def test_every_control_has_a_label_and_the_status_is_announced(question):
    panel = ask(question.id)
    for widget in controls(panel):
        assert widget.description
    assert 'role="status"' in status(panel)
    assert [w.description for w in controls(panel)][-4:] == [
        "Check", "Hint", "Reveal", "Restore my last answer",
    ]  # fmt: skip


@each([q for q in EVERY if not isinstance(q, Write)])
def test_the_last_answer_comes_back_when_asked(question):
    given = question.known[0].answer
    ask(question.id).answer(given).check()
    _sitting.cache_clear()  # another day
    again = ask(question.id)
    assert again.state == "not attempted"
    again.press("Restore my last answer")
    assert again.check().text == question.known[0].hint


def test_restoring_without_an_answer_says_so():
    assert "No answer of yours" in str(ask("02-where").restore())


def test_names_in_statements_are_escaped():
    question = registry.get("02-params")
    odd = Panel(Sitting(
        type(question)(
            id="02-odd", title="<b>", statement="<script>`</code>`", hints=("", "", ""), why="<i>",
            value=1, scale=question.scale,
        ),
        keep=False,
    ))  # fmt: skip
    odd.check("1e-6")
    shown = odd.children[0].value + status(odd) + data(odd)["text/html"]
    assert not re.search(r"<(b|i|script)>", shown)
    assert "&lt;script&gt;" in shown


def test_an_unreadable_answer_does_not_undo_a_right_one():
    panel = ask("02-where")
    panel.check("fc1")
    panel.check("x")
    assert panel.state == "right"


def test_a_defect_is_shown_in_the_panel_not_swallowed(monkeypatch):
    panel = ask("02-where")

    def fail(answer):
        raise RuntimeError("broken <inside>")

    monkeypatch.setattr(panel._sitting, "check", fail)
    with pytest.raises(RuntimeError):
        panel._guarded(panel.check)
    assert "defect of the kit" in status(panel)
    assert "broken &lt;inside&gt;" in status(panel)


def test_check_finds_the_function_in_the_notebook(monkeypatch):
    panel = ask("01-conv-params")
    assert "Write `conv_params` in a cell" in panel.press("Check").feedback
    names = {}
    exec(panel.question.fixed, names)
    monkeypatch.setattr(sys.modules["__main__"], "conv_params", names["conv_params"], raising=False)
    assert panel.press("Check").state == "right"


def test_a_function_that_was_passed_does_not_hide_the_newer_one(monkeypatch):
    panel = ask("01-conv-params")
    names = {}
    exec(panel.question.fixed, names)
    assert panel.check(lambda *a: 0).state == "wrong"
    monkeypatch.setattr(sys.modules["__main__"], "conv_params", names["conv_params"], raising=False)
    assert panel.check().state == "right"


def test_cells_of_a_row_are_given_by_name():
    panel = ask("01-row")
    panel.answer(output="28 x 28 x 128", weights="73,728")
    assert panel.check().text == "Right so far; still empty: biases, values, MACs."
    panel.answer(output="(28, 28, 128)", weights=73728, biases="128", values="100352", MACs="58 M")
    assert panel.check().state == "not attempted"
    panel.answer(["28x28x128", 73728, 128, 100352, 57802752])
    assert panel.check().state == "right"
    panel.answer(output="5 x 5 x 5", weights="1,152", biases="128", values="100352", MACs="1")
    assert panel.check().text.startswith(
        "Right: biases, values. Look again at output, weights, MACs."
    )


def test_verdicts_print_and_show_themselves():
    verdict = ask("02-where").check("fc3")
    assert repr(verdict) == str(verdict)
    assert verdict._repr_html_().startswith('<div role="status"><p>Wrong. fc3 holds')


def test_unknown_ids_are_refused():
    for verb in (ask, predict):
        with pytest.raises(UnknownNameError):
            verb("02-nowhere")


# Predictions


def test_a_prediction_stays_on_the_chart_and_meets_the_truth_there():
    guess = predict("02-params")
    explorer = explore("lenet5")
    assert guess.on(explorer) is explorer
    assert str(guess.commit("100 M")) == "Noted: 100 M. Now look whether it is so."
    assert "your prediction" in explorer._drawn[0]
    explorer.set(network="vgg16", size=224)
    assert guess.feedback == "Your 100 M; it is 138.36 million: 28 % too low."
    assert "28 % too low" in status(guess)


def test_a_prediction_committed_in_front_of_the_truth_is_compared_at_once():
    guess = predict("02-params")
    guess.on(explore("vgg16"))
    assert guess.feedback == ""
    assert (
        str(guess.commit("1 billion"))
        == "Your 1 billion; it is 138.36 million: 7.2 times too high."
    )


def test_a_refused_setting_tells_nothing():
    guess = predict("02-params")
    explorer = guess.on(explore("vgg16", size=64))
    guess.commit("100 M")
    explorer.set(size=8)
    assert explorer.message
    assert guess.feedback.startswith("Noted")


def test_a_predicted_layer_is_flagged():
    guess = predict("02-where")
    explorer = guess.on(explore("vgg16"))
    guess.commit("d")
    assert guess.feedback == "You said d) fc2; it is fc1."
    assert "your prediction" in explorer._drawn[0]
    guess.commit("fc1")
    assert guess.feedback == "You said c) fc1, and so it is."


def test_without_a_guess_nothing_is_told():
    guess = predict("03-maps")
    explorer = guess.on(explore("vgg16", stack="feature maps"))
    assert str(guess.compare()) == NOT_YET
    assert guess.feedback == ""
    assert "your prediction" not in explorer._drawn[0]


def test_a_bytes_prediction_is_marked_in_bytes():
    guess = predict("03-maps")
    guess.commit("24 MB")
    guess.on(explore("vgg16", stack="feature maps"))
    assert guess.feedback == "Your 24 MB; it is 60.95 MB: 2.5 times too low."


@pytest.mark.parametrize("given", ["", None, "many", "5 parsecs", [], "74 %"])
def test_what_is_no_guess_is_asked_for_again(given):
    guess = predict("02-params")
    guess.commit(given)
    assert guess.guess == ""
    assert load().records == {}


def test_a_prediction_is_kept_as_tried():
    predict("02-params").commit("100 M")
    assert load().records["02-params"].state == "predicted"


def test_the_button_commits_what_was_typed():
    guess = predict("02-params")
    entry = next(w for w in controls(guess) if isinstance(w, ipywidgets.Text))
    entry.value = "100 M"
    guess._button.click()
    assert guess.guess == "100 M"


def test_only_numbers_and_choices_can_be_predicted():
    with pytest.raises(CnnmemError, match="ask"):
        predict("03-order")


@each([q for q in EVERY if q.kind in ("number", "choice")])
def test_every_number_and_choice_can_be_predicted(question):
    guess = Prediction(question, keep=False)
    fresh = data(guess)
    guess.commit(question.known[0].answer)
    assert guess.distance
    guess.commit(question.solution)
    assert "so it is" in guess.distance or "too" in guess.distance or "exactly" in guess.distance
    assert data(guess)["text/html"] == fresh["text/html"]
    assert question.why not in fresh["text/plain"]
