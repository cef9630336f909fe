"""Conventions and totals: linear forms over the table, units, refusals."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnmem import (
    CnnmemError,
    Convention,
    Count,
    Network,
    Node,
    UnknownNameError,
    reconcile,
    summary,
    units,
)
from cnnmem.count import conventions
from cnnmem.count.calls import Caller
from cnnmem.count.conventions import BY_NAME, PRESETS, QUANTITIES, TENSORS, Rounding, autograd, get
from cnnmem.count.totals import column, show
from cnnmem.model import zoo
from cnnmem.model.layers import Linear
from cnnmem.units import FLOPS, MACS, MEMORY, fixed, memory, number, percent, round_digits

VGG16 = summary("vgg16")


def total(*counts, of=VGG16, **how):
    return of.total(Convention("own", "own", counts, **how))


def test_the_default_counts_every_tensor_in_float32():
    assert VGG16.total() == VGG16.total("tensors") == VGG16.total(TENSORS)
    assert VGG16.total().base == 4 * VGG16.values


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_preset_has_its_own_name_and_a_title(preset):
    assert get(preset.name) is preset is BY_NAME[preset.name]
    assert preset.title
    assert "the same" not in preset.title  # a title is read on its own
    assert (preset.measures == "operations") == (preset.unit in (MACS, FLOPS))
    assert preset.name in str(VGG16.total(preset)).casefold()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_preset_is_a_linear_form_over_the_rows(preset):
    """Add up row by row, from the definition of the convention."""
    amounts = []
    for i, row in enumerate(VGG16.rows):
        form = preset.form(VGG16.callers[i])
        columns = {q: column(VGG16, q)[i] for q in form}
        amount = sum(times * columns[q] for q, times in form.items())
        if preset.rounding and preset.rounding.of == "row":
            amount = round_digits(amount, preset.rounding.digits)
        amounts.append(amount)
        if row.name == preset.until:
            break
    result = sum(amounts)
    if preset.rounding and preset.rounding.of == "total":
        result = round_digits(result, preset.rounding.digits)
    scale = Fraction(preset.factor * preset.bytes_per_value, preset.unit.size)
    assert VGG16.total(preset).value == result * scale


def test_a_count_applies_only_to_its_kinds_and_places():
    counts = {
        Count("values"): VGG16.values,
        Count("values", ("input",)): 150_528,
        Count("values", where="layers"): VGG16.values - 150_528,
        Count("values", ("conv", "linear")): 13_547_520 + 9_192,
        Count("values", ("conv",), 3): 3 * 13_547_520,
        Count("values", ("input",), where="layers"): 0,
    }
    for count, value in counts.items():
        assert total(count).value == value


def test_modules_and_functions_together_are_the_layers():
    resnet = summary("resnet18")
    parts = [
        total(*[Count(q, where=where) for q in conventions.OUTPUTS], of=resnet).value
        for where in ("modules", "functions", "layers")
    ]
    assert parts[1] > 0
    assert parts[0] + parts[1] == parts[2]


def test_a_total_in_another_unit_is_the_same_bytes():
    mib = VGG16.total("tensors-mib")
    assert mib.base == VGG16.total("tensors").base
    assert mib.label == "vgg16 at 224x224, tensors-mib"
    assert str(mib).startswith("58.13 MiB, tensors-mib: ")


def test_autograd_in_each_dtype_is_the_tables_own_sum():
    for dtype in units.BYTES_PER_VALUE:
        for name in ("vgg16", "resnet18"):
            table = summary(name, batch=2, dtype=dtype)
            assert table.total(autograd(dtype)).base == table.saved_bytes


def test_until_stops_after_its_row_and_is_refused_without_that_row():
    assert total(Count("macs"), unit=MACS, until="conv1_1").value == VGG16["conv1_1"].macs
    for table in (summary("resnet18"), summary(zoo.vgg16(top=False))):
        with pytest.raises(CnnmemError, match="stops after the row 'relu2', which"):
            table.total("caffe-to-relu7")


WEIGHTS = (Count("weights"),)
INVALID = [
    (lambda: Convention("x", "", ()), "'x' counts (); give a tuple of Count, at least one"),
    (lambda: Convention("x", "", ("weights",)), "give a tuple of Count"),
    (lambda: Convention("x", "", Count("weights")), "give a tuple of Count"),
    (lambda: Convention("x", "", [Count("weights")]), "give a tuple of Count"),
    (lambda: Convention("x", "", WEIGHTS, factor=0), "has factor 0"),
    (lambda: Convention("x", "", WEIGHTS, factor=1.5), "has factor 1.5"),
    (lambda: Convention("x", "", WEIGHTS, factor="2"), "has factor '2'"),
    (lambda: Convention("x", "", WEIGHTS, bytes_per_value=0), "has bytes_per_value 0"),
    (lambda: Convention("x", "", WEIGHTS, bytes_per_value=4), "give a unit of memory"),
    (lambda: Convention("x", "", WEIGHTS, unit="MB"), "is in 'MB'; give a unit of cnnmem.units"),
    (lambda: Convention("x", "", WEIGHTS, unit=MACS), "counts weights in MACs"),
    (lambda: Convention("x", "", (Count("macs"),)), "counts macs in values; give a unit such as"),
    (lambda: Convention("x", "", (*WEIGHTS, Count("macs"))), "counts macs in values"),
    (lambda: Convention("x", "", WEIGHTS, arithmetic="int16"), "has arithmetic 'int16'"),
    (
        lambda: Convention("x", "", (Count("weights", times=Fraction(1, 2)),), arithmetic="int32"),
        "wraps fractions as integers",
    ),
    (lambda: Count("weight"), "no quantity is called 'weight'; did you mean 'weights'?"),
    (lambda: Count(["weights"]), "no quantity is called ['weights']"),
    (lambda: Count("weights", "conv"), "give a tuple of kinds: ('conv',)"),
    (lambda: Count("weights", (), 1.5), "times is 1.5; give an int or a Fraction"),
    (lambda: Count("weights", where="module"), "where is 'module'"),
    (lambda: Rounding(0), "digits is 0"),
    (lambda: Rounding(2, "column"), "of is 'column'"),
    (lambda: VGG16.total("foo"), "no convention is called 'foo'; there are parameters"),
    (lambda: VGG16.total(None), "no convention is called None"),
    (lambda: VGG16.total([]), "no convention is called []"),
    (lambda: autograd("float8"), "no dtype is called 'float8'"),
]


@pytest.mark.parametrize(("make", "message"), INVALID, ids=[message for _, message in INVALID])
def test_invalid_conventions_are_refused_with_a_remedy(make, message):
    with pytest.raises(CnnmemError) as caught:
        make()
    assert message in str(caught.value)
    assert ";" in str(caught.value)


def test_an_unknown_name_is_a_key_error_that_reads_as_a_sentence():
    with pytest.raises(KeyError) as caught:
        get("foo")
    assert isinstance(caught.value, UnknownNameError)
    assert str(caught.value).startswith("no convention is called")


def test_every_quantity_is_counted_by_some_preset():
    counted = {count.quantity for preset in PRESETS for count in preset.counts}
    assert counted == set(QUANTITIES)


def test_int32_wraps_rows_and_sum():
    table = summary(Network("wide", (Node("fc", Linear(2**20)),), (2**12,)))
    exact = table.total("keras-parameters").value
    assert exact == 2**32 + 2**20
    assert table.total("keras-parameters-int32").value == 2**20


# --- units and how numbers are printed


@given(st.fractions(), st.integers(0, 6))
def test_fixed_prints_a_fraction_rounded_to_its_digits(value, digits):
    text = fixed(value, digits)
    assert abs(Fraction(text.replace(",", "")) - value) <= Fraction(1, 2 * 10**digits)
    assert len(text.partition(".")[2]) == digits


@given(st.integers(-(10**30), 10**30))
def test_whole_numbers_print_whole_and_exact(value):
    assert int(number(value).replace(",", "")) == value
    assert show(Fraction(value)) == number(value)


@given(st.fractions(min_value=1, max_value=10**12), st.integers(1, 6))
def test_rounding_is_off_by_at_most_half_of_the_last_digit(value, digits):
    rounded = round_digits(value, digits)
    step = Fraction(10) ** (len(str(int(value))) - digits)
    assert abs(rounded - value) <= step / 2
    assert (rounded / step).denominator == 1


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (602_112, "602.11 kB"),
        (-553_430_176, "-553.43 MB"),
        (10**10, "10.00 GB"),
        (Fraction(3, 2), "1.50 B"),
    ],
)
def test_memory_is_printed_in_readable_units(count, text):
    assert memory(count) == text


def test_a_share_of_zero_is_zero():
    assert percent(0, 0) == "0.0 %"
    assert percent(1, 3) == "33.3 %"


def test_units_of_memory_are_1000_or_1024_apart():
    sizes = [unit.size for unit in MEMORY]
    assert sizes == [1, 10**3, 10**6, 10**9, 2**10, 2**20, 2**30]


@pytest.mark.parametrize(
    "kinds", [("Conv",), ("convs",), ("conv", "Relu"), (5,), 0, None, "conv", ("",)]
)
def test_a_kind_that_no_row_can_have_is_refused_with_the_kinds(kinds):
    with pytest.raises(CnnmemError, match="kind"):
        Count("weights", kinds)


def test_the_kind_of_a_reader_s_own_layer_can_be_counted():
    assert Count("weights", ("my_layer",)).applies(Caller("my_layer"))


@pytest.mark.parametrize(
    "name",
    [
        "parameters-mb",
        "parameters-mib",
        "tensors",
        "tensors-mib",
        "keras-outputs",
        "inference-peak",
    ],
)
@pytest.mark.parametrize(("dtype", "share"), [("float16", Fraction(1, 2)), ("float64", 2)])
def test_bytes_are_those_of_the_table_s_dtype(name, dtype, share):
    whole = summary("resnet18").total(name)
    of = summary("resnet18", dtype=dtype).total(name)
    assert of.value == whole.value * share
    assert dtype in str(of)
    assert "float32" not in str(of)


def test_a_tool_that_assumes_four_bytes_does_so_for_every_dtype():
    half = summary("vgg16", dtype="float16")
    assert half.total("torchsummary").value == VGG16.total("torchsummary").value
    assert half.total("autograd").convention.name == "autograd-float16"


def test_two_dtypes_are_reconciled_by_the_bytes_of_a_value():
    half = summary("vgg16", dtype="float16").total("parameters-mb")
    (step,) = reconcile(VGG16.total("parameters-mb"), half).steps
    assert step.stage == "bytes per value"
    assert step.delta == half.value - VGG16.total("parameters-mb").value
