"""Questions on the screen: used as a learner uses them, and readable without a kernel."""

import asyncio
import html
import re
import sys

import ipywidgets
import pytest

from cnnmem.errors import CnnmemError, UnknownNameError
from cnnmem.exercises import kernel
from cnnmem.exercises.coding import Bug, Write
from cnnmem.exercises.entries import LAG
from cnnmem.exercises.number import Number
from cnnmem.exercises.panel import EARLIER, RESTORE, Checked, Panel
from cnnmem.exercises.prediction import NOT_YET, Prediction
from cnnmem.exercises.sitting import FIRST_TRY, Sitting
from cnnmem.exercises.store import load
from cnnmem.lessons import ask, predict, progress, registry, reset
from cnnmem.widgets import explore

EVERY = registry.every()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNMEM_DATA", str(tmp_path / "data"))
    kernel.forget()
    return tmp_path / "data"


def each(questions=EVERY):
    return pytest.mark.parametrize("question", questions, ids=lambda q: q.id)


def data(widget):
    bundle = widget._repr_mimebundle_()
    return bundle[0] if isinstance(bundle, tuple) else bundle


def status(panel):
    return panel.children[-1].value


def controls(widget):
    """Return all widgets inside one that take an answer or can be pressed."""
    if isinstance(widget, ipywidgets.Box):
        return [found for child in widget.children for found in controls(child)]
    kinds = (ipywidgets.Text, ipywidgets.Dropdown, ipywidgets.RadioButtons, ipywidgets.Button)
    return [widget] if isinstance(widget, kinds) else []


@each()
def test_answers_given_in_the_widgets_are_judged_each_wrong_one_then_the_right_one(question):
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
def test_hints_come_in_turn_and_reveal_needs_an_attempt_or_a_second_request(question):
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


def test_asking_again_in_another_cell_continues():
    """A function is checked in a separate cell, which shows no panel."""
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
def test_running_a_cell_again_keeps_the_answer_and_a_new_kernel_does_not(question):
    first = ask(question.id)
    before = data(first), status(first), first._entry.read()
    first.check(question.known[0].answer)
    answered = first._entry.read()
    again = ask(question.id)
    if not isinstance(question, Write):  # a function is in a cell of its own
        assert again._entry.read() == answered
    assert (again.state, again.feedback) == ("wrong", f"Wrong. {question.known[0].hint}")
    assert status(again) == status(first) != before[1]
    kernel.forget()
    fresh = ask(question.id)
    assert (data(fresh)["text/html"], status(fresh), fresh._entry.read()) == (
        before[0]["text/html"],
        before[1],
        before[2],
    )
    assert (fresh.state, fresh.feedback) == ("not attempted", "")


def test_an_unchecked_answer_survives_too():
    ask("02-file").answer("553 MB").hint()
    again = ask("02-file")
    assert again.feedback.startswith("Hint 1 of 3")
    assert again.check().state == "right"


def test_reset_questions_start_over():
    ask("02-file").check("553 MB")
    predict("02-params").commit("100 M")
    assert reset("03").startswith("Progress of lesson 03 forgotten: 0")
    assert ask("02-file").state == "right"
    reset("02")
    assert (ask("02-file").state, predict("02-params").guess) == ("not attempted", "")


def text_of(widget):
    return next(w for w in controls(widget) if isinstance(w, ipywidgets.Text))


def press_enter(text):
    text._handle_custom_msg({"event": "submit"}, [])


def test_enter_checks_and_leaving_the_field_does_not():
    panel = ask("02-file")
    text_of(panel).value = "553 MB"
    assert (panel.state, panel.feedback) == ("not attempted", "")
    press_enter(text_of(panel))
    assert panel.state == "right"
    guess = predict("02-params")
    text_of(guess).value = "100 M"
    assert guess.guess == ""
    press_enter(text_of(guess))
    assert guess.guess == "100 M"


def test_enter_checks_text_that_arrives_after_it():
    panel = ask("02-file")
    assert not text_of(panel).continuous_update

    async def type_and_press():
        text_of(panel).value = "5"
        press_enter(text_of(panel))
        text_of(panel).value = "553 MB"
        await asyncio.sleep(LAG + 0.1)

    asyncio.run(type_and_press())
    assert panel.feedback.startswith("Right.")
    assert load().records["02-file"].attempts == 1


def test_enter_in_a_cell_of_a_row_checks_the_row():
    panel = ask("01-row")
    panel.answer(weights="1,152")
    press_enter(text_of(panel))
    assert panel.state == "wrong"


def test_a_verdict_on_an_earlier_answer_is_marked_and_loses_its_colour():
    panel = ask("02-where")
    panel.check("fc1")
    assert "#00695c" in status(panel)
    panel.answer("fc3")
    assert EARLIER in status(panel)
    assert "#00695c" not in status(panel)
    panel.answer("fc1")
    assert EARLIER not in status(panel)
    panel.answer("fc3").check()
    assert EARLIER not in status(panel)
    assert "#b00020" in status(panel)


def test_hints_and_solutions_do_not_have_the_colour_of_a_verdict():
    panel = ask("02-where")
    for state, answer in (("wrong", "fc3"), ("right", "fc1")):
        panel.check(answer)
        for said in (panel.hint, panel.reveal):
            said()
            assert panel.state == state
            assert "#757575" in status(panel)
            assert not {"#00695c", "#b00020"} & set(re.findall("#[0-9a-f]{6}", status(panel)))


@each([q for q in EVERY if isinstance(q, Number)])
def test_the_placeholder_is_a_readable_example_and_reveals_nothing(question):
    example = text_of(ask(question.id)).placeholder.removeprefix("for example ")
    verdict = question.judge(example)
    assert (verdict.state, verdict.slip) == ("wrong", "")
    assert f"write one like {example}" in question.judge("many").text


def test_a_verdict_on_a_function_can_be_read_without_its_panel():
    names = {}
    for source in ("starter", "fixed"):
        question = registry.get("02-stack-params")
        exec(getattr(question, source), names)
        verdict = ask("02-stack-params").check(names["stack_params"])
        kernel.forget()
        assert isinstance(verdict, Checked)
        assert repr(verdict) == repr(ask("02-stack-params").check(names["stack_params"]))
        for shown in (repr(verdict), html.unescape(re.sub("<[^>]+>", "", verdict._repr_html_()))):
            shown = shown.replace("`", "")
            assert shown.startswith("The parameters of a stack")
            assert question.statement.replace("`", "") in shown
            assert verdict.text.replace("`", "") in shown
            assert 'ask("02-stack-params").reveal()' in shown
            assert ('ask("02-stack-params").hint()' in shown) == (source == "starter")
    assert verdict.state == "right"


def test_after_the_last_question_of_a_lesson_the_progress_is_mentioned_once():
    *others, last = registry.lesson("03").questions
    predict("03-maps").commit("24 MB")
    for question in others[1:]:
        panel = ask(question.id)
        panel.check(question.known[0].answer)
        assert "progress(" not in status(panel)
    panel = ask(last.id)
    panel.check("nothing")
    assert "progress(" not in status(panel)
    panel.check(last.solution)
    assert "progress(&quot;03&quot;)" in status(panel)
    assert f"{len(others) + 1} tried" in progress("03").text
    panel.check(last.solution)
    kernel.forget()
    again = ask(last.id)
    again.check(last.solution)
    assert "progress(" not in status(panel) + status(again)


@each()
def test_every_control_has_a_label_and_the_status_is_announced(question):
    panel = ask(question.id)
    for widget in controls(panel):
        assert widget.description
    assert 'role="status"' in status(panel)
    assert [w.description for w in controls(panel)][-3:] == ["Check", "Hint", "Reveal"]


@each([q for q in EVERY if not isinstance(q, Write)])
def test_the_last_answer_can_be_restored(question):
    given = question.known[0].answer
    ask(question.id).answer(given).check()
    kernel.forget()  # another day
    again = ask(question.id)
    assert again.state == "not attempted"
    again.hint()
    again.press(RESTORE)
    assert again.check().text == question.known[0].hint
    assert RESTORE not in [w.description for w in controls(ask(question.id))]


def test_restoring_without_an_answer_says_so():
    assert "No answer of yours" in str(ask("02-where").restore())


def test_names_in_statements_are_escaped():
    question = registry.get("02-params")
    markup = type(question)(
        id="02-odd",
        title="<b>",
        statement="<script>`</code>`",
        hints=("", "", ""),
        why="<i>",
        value=1,
        scale=question.scale,
    )
    odd = Panel(Sitting(markup, keep=False))
    odd.check("1e-6")
    shown = odd.children[0].value + status(odd) + data(odd)["text/html"]
    assert not re.search(r"<(b|i|script)>", shown)
    assert "&lt;script&gt;" in shown


def test_an_unreadable_answer_does_not_undo_a_right_one():
    panel = ask("02-where")
    panel.check("fc1")
    panel.check("x")
    assert panel.state == "right"


def test_a_defect_is_shown_in_the_panel(monkeypatch):
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


def test_a_newer_function_in_the_notebook_replaces_one_passed_before(monkeypatch):
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


def test_a_prediction_stays_on_the_chart_and_is_compared_there():
    guess = predict("02-params")
    explorer = explore("lenet5")
    assert guess.on(explorer) is explorer
    assert str(guess.commit("100 M")) == "Noted: 100 M. Now look whether it is so."
    assert "your prediction" in explorer._drawn[0]
    explorer.set(network="vgg16", size=224)
    assert guess.feedback == "Your 100 M; it is 138.36 million: 28 % too low."
    assert "28 % too low" in status(guess)


def test_a_prediction_made_while_the_truth_is_shown_is_compared_at_once():
    guess = predict("02-params")
    guess.on(explore("vgg16"))
    assert guess.feedback == ""
    assert (
        str(guess.commit("1 billion"))
        == "Your 1 billion; it is 138.36 million: 7.2 times too high."
    )


def test_a_refused_setting_does_not_reveal_the_truth():
    guess = predict("02-params")
    explorer = guess.on(explore("vgg16", size=64))
    guess.commit("100 M")
    explorer.set(size=8)
    assert explorer.message
    assert guess.feedback.startswith("Noted")


def test_a_predicted_layer_is_marked_on_the_chart():
    guess = predict("02-where")
    explorer = guess.on(explore("vgg16"))
    guess.commit("d")
    assert guess.feedback == "You said d) fc2; it is fc1."
    assert "your prediction" in explorer._drawn[0]
    guess.commit("fc1")
    assert guess.feedback == "You said c) fc1, and so it is."


def test_without_a_guess_nothing_is_revealed():
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
def test_unreadable_guess_is_rejected(given):
    guess = predict("02-params")
    guess.commit(given)
    assert guess.guess == ""
    assert load().records == {}


def test_a_prediction_shown_again_keeps_its_guess_and_its_marker():
    predict("02-params").commit("100 M")
    again = predict("02-params")
    assert text_of(again).value == again.guess == "100 M"
    assert again.feedback == "Your guess 100 M is kept; you can change it."
    explorer = again.on(explore("vgg16"))
    assert "your prediction" in explorer._drawn[0]
    assert "28 % too low" in again.feedback
    choice = predict("02-where")
    choice.commit("d")
    assert predict("02-where")._entry.read() == "d) fc2"
    kernel.forget()
    fresh = predict("02-params")
    assert (text_of(fresh).value, fresh.guess, fresh.feedback) == ("", "", "")


def test_a_guess_changed_after_running_the_cell_again_reaches_the_earlier_explorer():
    explorer = predict("02-params").on(explore("lenet5"))
    again = predict("02-params")
    again.commit("100 M")
    assert "your prediction 100" in explorer.alt + explorer._drawn[0]
    explorer.set(network="vgg16", size=224)
    assert "28 % too low" in status(again)


def test_a_guess_counts_only_after_predict_is_pressed():
    guess = predict("02-params")
    guess.commit("100 M")
    text_of(guess).value = "200 M"
    assert "Your guess 100 M is kept until you press Predict again." in status(guess)
    assert guess.guess == "100 M"


@pytest.mark.parametrize(
    ("id", "given", "said"),
    [
        ("02-params", "0", "0 is too low"),
        ("03-maps", "60.95 MB", "right to the digits you gave"),
        ("03-maps", "61", "right to the digits you gave"),
        ("03-maps", "60,950,432 bytes", "exactly right"),
        ("02-params", "1e30", "more than a million times too high"),
        ("02-params", "1e-30", "more than a million times too low"),
        ("04-wrap", "5", "the sign differs"),
        ("04-wrap", "-9e9", "4.2 times too far below zero"),
    ],
)
def test_the_distance_of_a_guess_is_described_in_words(id, given, said):
    guess = predict(id)
    guess.commit(given)
    assert guess.distance.endswith(f": {said}.")
    assert len(guess.distance) < 120


@pytest.mark.parametrize(("id", "said"), [("02-params", "A count"), ("03-maps", "A number of by")])
def test_a_negative_guess_is_refused_where_nothing_is_negative(id, said):
    guess = predict(id)
    assert str(guess.commit("-5")).startswith(said)
    assert guess.guess == ""
    signed = predict("04-wrap")
    signed.commit("-5")
    assert signed.guess == "-5"


def test_learners_read_predict_and_never_commit():
    guess = predict("02-params")
    said = [w.description for w in controls(guess)] + [data(guess)["text/html"], status(guess)]
    assert "Predict" in said
    assert not re.search("commit", " ".join(said), re.IGNORECASE)


def test_a_prediction_is_recorded():
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
    assert re.search("so it is|right to the digits you gave|exactly right", guess.distance)
    assert data(guess)["text/html"] == fresh["text/html"]
    assert question.why not in fresh["text/plain"]
