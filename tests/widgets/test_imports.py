"""Only core ipywidgets, and no `Output`: VS Code and Colab show them without an extension."""

import inspect

import ipywidgets
import pytest

from cnnmem import widgets
from cnnmem.exercises.choice import Choice
from cnnmem.exercises.number import Number
from cnnmem.lessons import ask, predict
from cnnmem.lessons.registry import every

FACTORIES = [
    name
    for name in widgets.__all__
    if inspect.isfunction(made := getattr(widgets, name))
    and inspect.signature(made).return_annotation == "Explorer"
]


def family(widget):
    """Yield a widget and all widgets inside it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from family(child)


def assert_core(widget):
    for one in family(widget):
        for part in (one, one.layout, getattr(one, "style", one)):
            for side in ("model", "view"):
                module = getattr(part, f"_{side}_module")
                assert module in ("@jupyter-widgets/controls", "@jupyter-widgets/base")
        assert not isinstance(one, ipywidgets.Output)


@pytest.mark.parametrize("name", FACTORIES)
def test_explorers_use_core_widgets_only(name):
    assert_core(getattr(widgets, name)())


def test_the_explorers_are_found():
    assert len(FACTORIES) > 5


@pytest.mark.parametrize("question", every(), ids=lambda question: question.id)
def test_questions_and_predictions_use_core_widgets_only(question):
    assert_core(ask(question.id))
    if isinstance(question, Number | Choice):
        assert_core(predict(question.id))
