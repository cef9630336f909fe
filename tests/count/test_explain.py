"""Every row explains itself: the formula shown evaluates to the number counted."""

import re

import pytest
from hypothesis import given, settings
from strategies import PROFILE, networks

from cnnmem import CnnmemError, Network, NetworkError, UnknownNameError, summary
from cnnmem.model import zoo
from cnnmem.model.formula import Named, ceil_div, exact_div
from cnnmem.model.layers import (
    AvgPool2d,
    Conv2d,
    DepthwiseConv2d,
    MaxPool2d,
    SeparableConv2d,
    ZeroPad2d,
)
from cnnmem.units import memory

ALL = [(name, variant) for name in zoo.names() for variant in zoo.variants(name)]
FIELDS = {
    "weights": lambda row: row.weights,
    "biases": lambda row: row.biases,
    "running statistics": lambda row: row.statistics,
    "values": lambda row: row.values,
    "MACs": lambda row: row.macs,
    "depth of the output": lambda row: row.output[0],
    "height of the output": lambda row: row.output[-3],
    "width of the output": lambda row: row.output[-2],
    "channels of the output": lambda row: row.output[-1],
    "length of the output": lambda row: row.output[0],
}


def formulas(text):
    """Return {what: [symbols, numbers, value]} as `explain` prints it."""
    found, what = {}, None
    for line in text.splitlines()[1:]:
        if "kept for backward: " in line:
            break
        left, _, right = line.partition(" = ")
        what = left.strip() or what
        found.setdefault(what, []).append(right)
    return found


def evaluate(numbers):
    """Evaluate a line of numbers with Python, floor and ceiling brackets included."""
    text = numbers.replace(",", "").replace("·", "*").replace("−", "-")
    text = re.sub(r"⌈([^⌈⌉]*) / ([^⌈⌉/]*)⌉", r"-(-(\1) // (\2))", text)
    text = text.replace(" / ", " // ").replace("⌊", "(").replace("⌋", ")")
    assert re.fullmatch(r"[-+*/() 0-9]+", text), text
    return eval(text)


def assert_explained(table):
    for row in table.rows[1:]:
        for what, lines in formulas(table.explain(row.name)).items():
            value = FIELDS[what](row)
            *symbols_and_numbers, last = lines
            if what == "values":
                last, _, bytes_ = last.rpartition(" = ")
                width = {"float32": 4, "bfloat16": 2}[table.dtype]
                assert bytes_ == memory(value * width)
            assert int(last.replace(",", "")) == value
            if len(symbols_and_numbers) == 2:
                assert evaluate(symbols_and_numbers[1]) == value


@pytest.mark.parametrize(("name", "variant"), ALL)
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_every_row_of_every_network_explains_its_numbers(name, variant, mode):
    table = summary(zoo.get(name, variant=variant), batch=2, mode=mode)
    assert_explained(table)
    explained = {what for row in table.rows[1:] for what in formulas(table.explain(row.name))}
    assert {"weights", "values", "MACs"} <= explained


@settings(PROFILE, max_examples=150)
@given(networks())
def test_rows_of_random_networks_explain_their_numbers(drawn):
    try:
        table = summary(drawn.network, batch=drawn.batch, dtype="bfloat16")
    except NetworkError:
        return
    assert_explained(table)
    for row in table.rows:
        shown = formulas(table.explain(row.name)) if row.name != "input" else {}
        for what in ("weights", "biases", "running statistics", "values", "MACs"):
            assert (what in shown) == bool(FIELDS[what](row)) or row.name == "input"


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (Conv2d(8, 3, groups=2), "weights = K_h · K_w · C_in / G · C_out"),
        (Conv2d(8, 3, groups=2), "= 3 · 3 · 4 / 2 · 8"),
        (Conv2d(8, 3, 2, "same"), "= ⌈H / S_h⌉"),
        (DepthwiseConv2d(3, multiplier=2), "weights = K_h · K_w · C_in · M"),
        (SeparableConv2d(3, out_channels=5), "weights = K_h · K_w · C_in · M + C_in · M · C_out"),
        (MaxPool2d(3, 2, ceil_mode=True), "= ⌈(9 + 0 + 0 − 1 · (3 − 1) − 1) / 2⌉ + 1"),
        (AvgPool2d(3), "= ⌊(H + P_top + P_bottom − D_h · (K_h − 1) − 1) / S_h⌋ + 1"),
        (ZeroPad2d((0, 1, 2, 3)), "= 9 + 0 + 1"),
    ],
    ids=repr,
)
def test_formulas_read_as_in_a_textbook(layer, line):
    text = summary(Network.chain("net", {"layer": layer}, (9, 9, 4))).explain("layer")
    squeezed = re.sub(r" +", " ", text)
    assert line in squeezed


VGG16 = summary("vgg16")
KEPT = [
    ("conv1_1", "its input, the image; 602,112 bytes new"),
    ("relu1_1", "its output, written over the output of conv1_1; 12,845,056 bytes new"),
    ("conv1_2", "its input, the output of conv1_1 (relu1_1 keeps it already)"),
    (
        "pool1",
        "its input, the output of conv1_2 (relu1_2 keeps it already); int64 indices, "
        "802,816 x 8 bytes; 6,422,528 bytes new",
    ),
    ("drop1", "a dropout mask, 4,096 x 4 bytes; 16,384 bytes new"),
]


@pytest.mark.parametrize(("name", "kept"), KEPT)
def test_the_last_line_says_what_backward_keeps_and_which_row_keeps_it(name, kept):
    assert VGG16.explain(name).splitlines()[-1] == f"  kept for backward: {kept}"


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_new_bytes_of_the_rows_add_up_to_the_tables_sum(name, variant):
    table = summary(zoo.get(name, variant=variant))
    new = 0
    for row in table.rows[1:]:
        shown = re.search(r"([\d,]+) bytes new$", table.explain(row.name))
        new += int(shown[1].replace(",", "")) if shown else 0
    assert new == table.saved_bytes


def test_the_image_is_explained_and_unknown_rows_are_refused():
    assert VGG16.explain("input") == "input: the image, 224 · 224 · 3 = 150,528 values"
    with pytest.raises(UnknownNameError, match="vgg16 has no layer 'fc9'"):
        VGG16.explain("fc9")


def test_a_table_without_layers_cannot_be_explained():
    table = type(VGG16)("net", (224, 224, 3), 1, VGG16.rows)
    with pytest.raises(CnnmemError, match="holds only counts"):
        table.explain("conv1_1")


def test_named_numbers_record_what_is_done_with_them():
    a, b = Named("a", 7), Named("b", 2)
    for formula, symbols, numbers, value in (
        (a + b, "a + b", "7 + 2", 9),
        (a - (b - 1), "a − (b − 1)", "7 − (2 − 1)", 6),
        ((a + 1) * b, "(a + 1) · b", "(7 + 1) · 2", 16),
        (3 + a * b, "3 + a · b", "3 + 7 · 2", 17),
        (10 - a, "10 − a", "10 − 7", 3),
        (a // b + 1, "⌊a / b⌋ + 1", "⌊7 / 2⌋ + 1", 4),
        (15 // b, "⌊15 / b⌋", "⌊15 / 2⌋", 7),
        (ceil_div(a, b), "⌈a / b⌉", "⌈7 / 2⌉", 4),
        (exact_div(Named("c", 8), b), "c / b", "8 / 2", 4),
        (sum([a, b]), "a + b", "7 + 2", 9),
        (1 * a * 1, "a", "7", 7),
    ):
        assert (formula.symbols, formula.numbers, int(formula)) == (symbols, numbers, value)
        assert type(int(formula)) is int
