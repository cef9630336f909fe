"""Questions on the screen: used as a learner uses them, and readable without a kernel."""

import asyncio
import html
import re
import sys

import ipywidgets
import pytest
from sample_questions import MAPS, PARAMS

from cnnmem import summary
from cnnmem.errors import CnnmemError, UnknownNameError
from cnnmem.exercises import cell, kernel, overview, sandbox
from cnnmem.exercises.coding import Bug, Write
from cnnmem.exercises.entries import LAG
from cnnmem.exercises.number import Number
from cnnmem.exercises.panel import EARLIER, RESTORE, Panel
from cnnmem.exercises.prediction import Prediction
from cnnmem.exercises.sitting import FIRST_TRY, NO_MORE, Sitting
from cnnmem.exercises.store import load
from cnnmem.lessons import ask, asking, fold, head, progress, registry, reset
from cnnmem.widgets import explore

EVERY = registry.every()
SAMPLES = {question.id: question for question in (PARAMS, MAPS)}


def predict(id):
    if id not in SAMPLES:
        return asking.predict(id)
    question = SAMPLES[id]
    return Prediction(kernel.remember(Sitting(question, registry.lesson(question.lesson))))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNMEM_DATA", str(tmp_path / "data"))
    kernel.restart()
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


def test_asking_again_in_another_cell_continues():
    """A function is checked in a separate cell, which shows no panel."""
    assert ask("01-conv-params").check(lambda *a: 0).state == "wrong"
    assert str(ask("01-conv-params").hint()).startswith("Hint 1 of 3")
    assert str(ask("01-conv-params").hint()).startswith("Hint 2 of 3")
    assert str(ask("01-conv-params").reveal()).startswith("Solution:")


@each()
def test_hints_add_up_below_the_verdict_and_reveal_needs_an_attempt_or_two_requests(question):
    panel = ask(question.id)
    assert str(panel.reveal()) == FIRST_TRY
    said = [str(panel.hint()) for _ in range(4)]
    assert [text[:11] for text in said[:3]] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3"]
    assert said[3] == NO_MORE
    assert str(panel.reveal()).startswith("Solution:")
    assert panel.state == "not attempted"
    kernel.restart()
    panel = ask(question.id)
    verdict = panel.check(question.known[0].answer)
    panel.hint()
    panel.hint()
    for text in (str(verdict), *said[:2]):
        assert text in panel.feedback
    assert question.why in str(ask(question.id).reveal())


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
    first.hint()
    answered = first._entry.read()
    again = ask(question.id)
    if not isinstance(question, Write):  # a function is in a cell of its own
        assert again._entry.read() == answered
    assert again.state == "wrong"
    assert again.feedback.startswith(f"Wrong. {question.known[0].hint}\n\nHint 1 of 3")
    assert status(again) == status(first) != before[1]
    kernel.restart()
    fresh = ask(question.id)
    assert (data(fresh)["text/html"], status(fresh), fresh._entry.read()) == (
        before[0]["text/html"],
        before[1],
        before[2],
    )
    assert (fresh.state, fresh.feedback) == ("not attempted", "")


def test_a_hint_that_the_verdict_gave_is_not_given_again():
    panel = ask("02-file")
    panel.check("1000 MB")
    assert panel.question.hints[0] in panel.feedback
    assert str(panel.hint()).startswith("Hint 2 of 3")
    assert panel.feedback.count(panel.question.hints[0]) == 1


def test_an_unchecked_answer_survives_too():
    ask("02-file").answer("553 MB").hint()
    again = ask("02-file")
    assert again.feedback.startswith("Hint 1 of 3")
    assert again.check().state == "right"


def test_a_solved_question_keeps_its_mark():
    panel = ask("02-where")
    panel.check("fc3")
    assert "solved" not in panel._mark.value
    panel.check("fc1")
    assert "solved" in panel._mark.value
    panel.check("fc3")
    assert "solved" in panel._mark.value
    kernel.restart()
    assert "solved" in ask("02-where")._mark.value
    assert "solved" not in ask("02-file")._mark.value


def test_starting_again_empties_what_is_on_the_page():
    panel, guess = ask("02-file"), predict("02-where")
    veil = guess.then(explore("vgg16"))
    other = ask("03-order")
    panel.check("553 MB")
    guess.commit("fc2")
    other.check(other.question.solution)
    assert reset("03").startswith("Progress of lesson 03 forgotten: 1")
    assert (panel.state, veil.opened, other.state) == ("right", True, "not attempted")
    top = head("02")
    assert top.text == "2 of 8 questions done"
    assert "2 of 8" in top.press()._line.value
    assert panel.state == "right"
    assert "0 of 8" in top.press()._line.value
    assert "forgotten: 2" in top._said.value
    assert (panel.state, panel._entry.read(), panel._mark.value) == ("not attempted", "", "")
    assert (guess.guess, guess._entry.read(), veil.opened, veil.told) == ("", None, False, "")
    assert load().records == {}


def test_the_head_of_a_lesson_counts_along():
    top = head("02")
    fresh = data(top)
    assert "0 of 8" in top._line.value
    ask("02-file").check("553 MB")
    assert "1 of 8" in top._line.value
    ask("02-two-sizes").check("a")
    predict("02-where").commit("fc2")
    assert "2 of 8" in top._line.value
    for key in ("text/plain", "text/html"):
        assert fresh[key] == data(top)[key]


def tally(number):
    return overview.tally(registry.lesson(number), load().records)


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


def test_only_a_verdict_has_a_colour_and_keeps_it_beside_hints():
    panel = ask("02-where")
    panel.hint()
    panel.reveal()
    assert not {"#00695c", "#b00020"} & set(re.findall("#[0-9a-f]{6}", status(panel)))
    for colour, answer in (("#b00020", "fc3"), ("#00695c", "fc1")):
        panel.check(answer)
        for said in (panel.hint, panel.reveal):
            said()
            assert colour in status(panel)


@each([q for q in EVERY if isinstance(q, Number)])
def test_the_placeholder_is_a_readable_example_and_reveals_nothing(question):
    example = text_of(ask(question.id)).placeholder.removeprefix("for example ")
    verdict = question.judge(example)
    assert (verdict.state, verdict.slip) == ("wrong", "")
    assert f"write one like {example}" in question.judge("many").text


def test_after_the_last_question_of_a_lesson_the_progress_is_mentioned_once():
    *others, last = registry.lesson("03").questions
    predict("03-first").commit("24 %")
    for question in [q for q in others if q.id != "03-first"]:
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
    kernel.restart()
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
    kernel.restart()  # another day
    again = ask(question.id)
    assert again.state == "not attempted"
    again.hint()
    again.press(RESTORE)
    assert again.check().text == question.known[0].hint
    assert RESTORE not in [w.description for w in controls(ask(question.id))]


def test_restoring_without_an_answer_says_so():
    assert "No answer of yours" in str(ask("02-where").restore())


def test_names_in_statements_are_escaped():
    question = PARAMS
    markup = type(question)(
        id="02-odd",
        title="<b>",
        statement="<script>`</code>`",
        hints=("", "", ""),
        why="<i>",
        value=1,
        scale=question.scale,
    )
    odd = Panel(kernel.Memory(markup, Sitting(markup, keeps=False)))
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


class Shell:
    """What a kernel remembers of the cells that were run."""

    def __init__(self, *cells):
        self.history_manager = self
        self.input_hist_raw = ["", *cells]
        self.transform_cell = lambda text: text


@pytest.fixture
def notebook(monkeypatch):
    """Return what runs a cell of a notebook: a syntax error leaves the function from before."""
    shell = Shell()
    monkeypatch.setattr(cell, "get_ipython", lambda: shell)

    def run(text):
        shell.input_hist_raw.append(text)
        names = {}
        try:
            exec(text, names)
        except SyntaxError:
            return
        names.pop("__builtins__")
        for name, value in names.items():
            monkeypatch.setattr(sys.modules["__main__"], name, value, raising=False)

    return run


def test_a_function_in_the_notebook_is_judged_at_once_and_its_verdict_is_stored(notebook):
    question = registry.get("02-stack-params")
    notebook(question.starter)
    untouched = data(ask(question.id))
    assert "Not attempted yet" in untouched["text/plain"]
    assert "def stack_params" not in untouched["text/html"]
    notebook(question.fixed)
    right = ask(question.id)
    assert right.state == "right"
    assert question.why in data(right)["text/plain"]
    assert [w.description for w in controls(right)] == ["Check", "Hint", "Reveal"]


def test_after_a_syntax_error_the_function_from_before_is_not_judged_again(notebook):
    question = registry.get("02-stack-params")
    panel = ask(question.id)
    notebook("def stack_params(channels):\n    return (")
    assert "syntax error in line 2" in panel.press("Check").feedback
    notebook(question.fixed)
    assert panel.press("Check").state == "right"
    notebook("x = 1")
    notebook("def stack_params(channels)\n    return 0")
    for shown in (panel.press("Check"), ask(question.id)):
        assert "syntax error in line 1: expected ':'" in shown.feedback
        assert "Right" not in shown.feedback
    assert load().records[question.id].attempts == 1


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
    for verb in (ask, asking.predict):
        with pytest.raises(UnknownNameError):
            verb("02-nowhere")


# Predictions


def test_what_follows_a_prediction_is_hidden_until_it_is_made():
    guess, explorer = predict("02-params"), explore("vgg16")
    veil = guess.then(explorer, "138,357,544\nas text")
    assert explorer not in veil.children
    assert "138" not in "".join(getattr(w, "value", "") for w in veil.children)
    assert "your prediction" not in explorer._drawn[0]
    stored = data(veil)
    assert str(guess.commit("100 M")) == "Noted: 100 M."
    assert explorer in veil.children
    assert "as text" in veil.children[1].value
    assert "your prediction" in explorer._drawn[0]
    assert veil.told.startswith("Your 100 M; it is 138.36 million: 28 % too low. 74.3 % of")
    assert "28 % too low" in status(veil)
    for key in ("text/plain", "text/html"):
        assert data(veil)[key] == stored[key]
    assert stored["text/html"].startswith("<details><summary>Show without guessing</summary>")
    assert "138,357,544" in stored["text/plain"]


def test_a_resolution_names_the_slip_and_why():
    guess = predict("02-params")
    guess.commit("138,344,128")
    assert "These are the weights alone" in guess.resolution
    choice = predict("02-where")
    veil = choice.then("x")
    choice.commit("d")
    assert veil.told.startswith("You said d) fc2. It is c) fc1. fc2 holds 12.1 %")
    choice.commit("fc1")
    assert veil.told.startswith("You said c) fc1, and so it is.")


def test_asking_to_see_resolves_too_and_is_remembered():
    veil = predict("02-rest").then(explore("lenet5"))
    veil.show()
    assert veil.told.startswith("It is 14.71 million.")
    kernel.restart()
    again = predict("02-rest")
    assert (again.guess, again.then("x").opened) == ("", True)
    assert tally("02").tried == 0
    again.commit("100 M")
    assert tally("02").done == 1


def test_a_guess_survives_a_restart_of_the_kernel():
    predict("02-params").commit("100 M")
    predict("02-where").commit("d")
    kernel.restart()
    again, choice = predict("02-params"), predict("02-where")
    assert text_of(again).value == again.guess == "100 M"
    assert again.feedback == "Your guess 100 M is kept; you can change it."
    assert choice._entry.read() == "d) fc2"
    explorer = explore("vgg16")
    assert again.then(explorer).opened
    assert "your prediction 100" in explorer.alt + explorer._drawn[0]


@pytest.mark.parametrize(
    ("id", "guess", "stack", "marked"),
    [
        ("02-params", "100 M", "parameters", True),
        ("02-params", "100 M", "feature maps", False),
        ("02-where", "fc2", "parameters", True),
        ("02-where", "fc2", "MACs", False),
        ("03-maps", "24 MB", "feature maps", True),
        ("03-maps", "24 MB", "parameters", False),
        ("02-file", "24 MB", "feature maps", False),
    ],
)
def test_a_guess_is_marked_on_charts_of_its_quantity_only(id, guess, stack, marked):
    predict(id).commit(guess)
    explorer = explore("vgg16", stack=stack)
    predict(id).then(explorer)
    assert ("your prediction" in explorer._drawn[0]) == marked


def test_what_follows_an_exercise_opens_once_it_was_tried():
    panel = ask("02-file")
    veil = panel.then("553.43 MB\n527.79 MiB")
    panel.check("nothing")
    panel.hint()
    assert not veil.opened
    panel.check("12 MB")
    assert veil.opened
    assert veil.told == ""


def test_a_fold_is_closed_and_compared():
    shown = fold("As text", "a  1\nb  2", summary("lenet5"))._repr_mimebundle_()
    assert shown["text/html"].startswith("<details><summary>As text</summary><pre")
    assert "61,706" in shown["text/plain"] + shown["text/html"]


@pytest.mark.parametrize("given", ["", None, "many", "5 parsecs", [], "74 %"])
def test_unreadable_guess_is_rejected(given):
    guess = predict("02-params")
    guess.commit(given)
    assert guess.guess == ""
    assert load().records == {}


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
        ("02-params", "200", "45 % too high"),  # millions, as asked
        ("02-rest", "30", "2 times too high"),
        ("04-wrap", "5", "the sign differs"),
        ("04-wrap", "-9e9", "4.2 times too far below zero"),
    ],
)
def test_the_distance_of_a_guess_is_described_in_words(id, given, said):
    guess = predict(id)
    guess.commit(given)
    assert f": {said}." in guess.resolution


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
    guess = Prediction(kernel.Memory(question, Sitting(question, keeps=False)))
    fresh = data(guess)
    guess.commit(question.known[0].answer)
    assert guess.resolution
    guess.commit(question.solution)
    assert re.search("so it is|right to the digits you gave|exactly right", guess.resolution)
    assert data(guess)["text/html"] == fresh["text/html"]
    assert question.why not in fresh["text/plain"]


@pytest.mark.parametrize("processes", [True, False])
def test_where_nothing_can_end_a_function_the_panel_says_so_first(processes, monkeypatch):
    monkeypatch.setattr(sandbox, "PROCESSES", processes)
    question = registry.get("02-stack-params")
    shown = Panel(kernel.Memory(question, Sitting(question, keeps=False)))
    said = " ".join(child.value for child in shown.children if isinstance(child, ipywidgets.HTML))
    assert ("Restart Kernel" in said) is not processes
