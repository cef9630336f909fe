"""Any two totals of the same measure are reconciled by named, ordered steps that sum exactly."""

from fractions import Fraction
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnmem import CnnmemError, Convention, Count, published, reconcile, summary
from cnnmem.count.convention import DONE
from cnnmem.count.conventions import PRESETS, QUANTITIES, Rounding, autograd
from cnnmem.count.reconciliation import UNEXPLAINED, Reconciliation
from cnnmem.count.steps import Step
from cnnmem.count.totals import show
from cnnmem.model import zoo
from cnnmem.units import FLOPS, MACS, MB, PARAMETERS, MiB, Unit

STAGES = ("rows", "what is counted", "factor", "bytes per value", "unit")
ORDER = ("print", "unexplained", *STAGES, "print", "unexplained")
SMALL = (
    "lenet5",
    "alexnet",
    "vgg11",
    "vgg16",
    "resnet18",
    "resnet50",
    "mobilenet_v1",
    "mobilenet_v2",
)

settings.register_profile(
    "steps",
    max_examples=80,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@cache
def built(name, variant, top):
    return zoo.get(name, variant=variant, top=top)


@cache
def table(name, variant, top, size, batch, mode):
    network = built(name, variant, top)
    return summary(network, (*size, network.image[2]), batch, mode=mode)


@st.composite
def tables(draw):
    name = draw(st.sampled_from(SMALL))
    variant = draw(st.sampled_from(zoo.variants(name)))
    size = draw(st.sampled_from([(224, 224), (256, 256), (96, 160), (64, 64)]))
    batch, mode = draw(st.sampled_from([1, 3])), draw(st.sampled_from(["train", "eval"]))
    return table(name, variant, draw(st.booleans()), size, batch, mode)


@st.composite
def own_conventions(draw, measure):
    """Draw a convention that no tool uses."""
    done = measure == "operations"
    quantities = [quantity for quantity in QUANTITIES if (quantity in DONE) == done]
    kinds = st.lists(st.sampled_from(["conv", "linear", "relu", "input", "batch_norm"]), max_size=2)
    counts = draw(
        st.lists(
            st.builds(
                Count,
                st.sampled_from(quantities),
                kinds.map(tuple),
                st.one_of(st.integers(-2, 3), st.just(Fraction(1, 2))),
                st.sampled_from(["", "layers", "modules", "functions"]),
            ),
            min_size=1,
            max_size=3,
        )
    )
    unit, width = draw(
        st.sampled_from([(MACS, 1), (FLOPS, 1)] if done else [(MB, 4), (MiB, 2), (PARAMETERS, 1)])
    )
    rounding = draw(st.sampled_from([None, Rounding(2), Rounding(3, "total")]))
    fractions = any(isinstance(count.times, Fraction) for count in counts)
    arithmetic = draw(st.sampled_from(["exact", "exact" if fractions else "int32"]))
    return Convention(
        "own", "drawn", tuple(counts), draw(st.integers(1, 3)), width, unit, rounding, arithmetic
    )


@st.composite
def totals(draw, measure):
    of = draw(tables())
    presets = [p for p in PRESETS if p.measures == measure]
    names = {row.name for row in of.rows}
    fitting = [p for p in presets if not p.until or p.until in names]
    return of.total(draw(st.one_of(st.sampled_from(fitting), own_conventions(measure))))


def published_numbers(measure):
    return st.sampled_from([p for p in published.catalogue().values() if p.measures == measure])


def assert_sound(result):
    difference = result.end.value - result.start.value
    assert sum((step.delta for step in result.steps), Fraction()) == difference
    assert all(step.delta for step in result.steps)
    assert all(step.name for step in result.steps)
    assert all(isinstance(step.delta, Fraction) for step in result.steps)
    in_order = iter(ORDER)
    stages = list(dict.fromkeys(step.stage for step in result.steps))
    assert all(any(stage == at for at in in_order) for stage in stages), stages
    for stage in stages:  # a stage is never resumed
        places = [i for i, step in enumerate(result.steps) if step.stage == stage]
        if stage in STAGES:
            assert places == list(range(places[0], places[-1] + 1))


MEASURES = st.sampled_from(["memory", "operations"])


@settings(settings.get_profile("steps"))
@given(MEASURES.flatmap(lambda m: st.tuples(totals(m), totals(m))))
def test_steps_between_any_two_totals_sum_exactly_and_are_in_order(pair):
    result = reconcile(*pair)
    assert_sound(result)
    assert result.unexplained == 0
    assert {step.stage for step in result.steps} <= set(STAGES)


@settings(settings.get_profile("steps"))
@given(
    MEASURES.flatmap(
        lambda m: st.tuples(totals(m) | published_numbers(m), totals(m) | published_numbers(m))
    )
)
def test_published_numbers_can_be_on_either_side(pair):
    start, end = pair
    result = reconcile(start, end)
    assert_sound(result)
    explained = [getattr(side, "convention", "") for side in pair]
    if all(explained):
        assert result.unexplained == 0


@settings(settings.get_profile("steps"))
@given(st.data())
def test_two_tables_under_one_convention_differ_only_in_their_rows(data):
    start = data.draw(totals("memory"))
    convention = start.convention
    other = data.draw(tables())
    if convention.until or convention.rounding or convention.arithmetic != "exact":
        return
    result = reconcile(start, other.total(convention))
    assert {step.stage for step in result.steps} <= {"rows"}


def test_equal_totals_need_no_step():
    total = summary("vgg16").total()
    assert reconcile(total, total).steps == ()
    assert reconcile(total, summary("vgg16").total()).steps == ()


VGG16 = summary("vgg16")
STEPS = [
    # from, to, [(stage, name)]
    (
        "weights",
        "parameters",
        [
            "what is counted: convolutions: biases counted",
            "what is counted: linear layers: biases counted",
        ],
    ),
    ("tensors", "tensors-mib", ["unit: MiB instead of MB"]),
    ("values", "tensors", ["bytes per value: 4 instead of 1", "unit: MB instead of B"]),
    ("tensors", "values", ["bytes per value: 1 instead of 4", "unit: values instead of MB"]),
    ("macs", "flops", ["factor: x 2 instead of x 1"]),
    ("macs", "convolution-macs", ["rows: linear layers out"]),
    ("convolution-macs", "macs", ["rows: linear layers in"]),
    ("values", "cs231n-values", ["what is counted: each row rounded to 2 digits"]),
    ("cs231n-values", "values", ["what is counted: rounding of each row undone"]),
    ("parameters-mb", "parameters-rounded-mb", ["what is counted: the sum rounded to 3 digits"]),
    ("caffe", "caffe-to-relu7", ["rows: rows after relu2 out"]),
    (
        "tensors",
        "caffe",
        [
            "rows: the image out",
            "what is counted: ReLU: in-place outputs counted",
            "what is counted: dropout: views counted",
        ],
    ),
]


@pytest.mark.parametrize(("start", "end", "steps"), STEPS)
def test_steps_have_plain_names(start, end, steps):
    result = reconcile(VGG16.total(start), VGG16.total(end))
    assert [f"{step.stage}: {step.name}" for step in result.steps] == steps


def test_int32_is_a_step_of_its_own():
    keras = summary(zoo.vgg16(variant="keras"), (1024, 1024, 3))
    result = reconcile(keras.total("keras-parameters"), keras.total("keras-parameters-int32"))
    assert [(s.name, s.delta) for s in result.steps] == [("wrapped as 32-bit integers", -(2**32))]
    back = reconcile(keras.total("keras-parameters-int32"), keras.total("keras-parameters"))
    assert [(s.name, s.delta) for s in back.steps] == [("32-bit wrap undone", 2**32)]


def test_60_and_73_megabytes_are_one_network():
    result = reconcile(VGG16.total("tensors"), VGG16.total("autograd"))
    assert result.unexplained == 0
    assert {step.stage for step in result.steps} == {"what is counted"} | {
        step.stage for step in result.steps if step.stage == "rows"
    }
    assert any("pool indices (int64)" in step.name for step in result.steps)


def test_keras_of_2018_and_of_today_differ_by_one_row():
    old, new = (
        summary(zoo.densenet201(variant=variant), (1024, 1024, 3)).total("keras-memory")
        for variant in ("keras2018", "keras")
    )
    steps = reconcile(old, new).steps
    assert [(s.stage, s.name) for s in steps] == [("rows", "relu only in the second")]
    assert steps[0].delta == Fraction(15, 2)


def test_changes_of_rows_come_first_under_the_first_convention():
    small, large = summary("resnet18"), summary("resnet50")
    steps = reconcile(small.total("parameters"), large.total("keras-parameters")).steps
    rows = sum(step.delta for step in steps if step.stage == "rows")
    assert rows == large.params - small.params
    assert steps[-1].stage == "what is counted"
    assert steps[-1].delta == large.statistics


def test_a_change_of_batch_is_named():
    result = reconcile(VGG16.total(), summary("vgg16", batch=8).total())
    assert {step.stage for step in result.steps} == {"rows"}
    assert "convolutions: batch 8 instead of 1" in [step.name for step in result.steps]


def test_rows_of_one_name_but_different_kinds_differ_as_rows():
    """alexnet and resnet18 share the names conv1 and avgpool, but not the layers behind them."""
    alexnet, resnet = summary("alexnet"), summary("resnet18")
    shared = {row.name for row in alexnet.rows} & {row.name for row in resnet.rows}
    assert {"input", "conv1", "avgpool"} <= shared
    keras = summary(zoo.mobilenet_v1(variant="keras"))
    paper = summary(zoo.mobilenet_v1())
    for a, b in ((alexnet, resnet), (keras, paper), (paper, keras)):
        for convention in ("tensors", "torchinfo-memory", "autograd"):
            result = reconcile(a.total(convention), b.total(convention))
            assert {step.stage for step in result.steps} <= {"rows"}


@pytest.mark.parametrize(
    "pair", [("93", "tensors"), ("tensors", "93"), ("93", "24m"), ("24m", "93")]
)
def test_a_number_without_a_convention_leaves_a_step_called_unexplained(pair):
    ids = {"93": "cs231n-93", "24m": "cs231n-24m"}
    start, end = (published.get(ids[x]) if x in ids else VGG16.total(x) for x in pair)
    result = reconcile(start, end)
    assert_sound(result)
    assert [step.name for step in result.steps if step.stage == "unexplained"] == [UNEXPLAINED]
    assert result.unexplained != 0
    assert "unexplained" in str(result)
    assert result.sentence().endswith("unexplained.")


def test_a_rounded_print_is_a_step_called_print():
    printed = published.get("vgg16-138m")
    there = reconcile(VGG16.total("weights"), printed)
    assert there.steps == (
        Step(
            "print",
            "the printed value instead of the exact one",
            Fraction(138_000_000 - 138_344_128),
        ),
    )
    back = reconcile(printed, VGG16.total("weights"))
    assert [step.name for step in back.steps] == ["the exact value instead of the printed one"]


REFUSED = [
    (lambda: (VGG16.total(), VGG16.total("macs")), "a total of memory and one of operations"),
    (lambda: (VGG16.total("macs"), VGG16.total("parameters")), "one of memory cannot be"),
    (lambda: (published.get("resnet18-exact"), VGG16.total()), "one of memory cannot be"),
    (lambda: (VGG16.total("macs"), published.get("cs231n-93")), "one of memory cannot be"),
    (lambda: (published.get("cs231n-93"), VGG16.total("macs")), "one of operations cannot be"),
    (lambda: (published.get("cs231n-93"), published.get("mobilenet-569m")), "cannot be reconciled"),
    (lambda: ("cs231n-93", VGG16.total()), "'cs231n-93': I can't read this as a number"),
    (lambda: (VGG16.total(), VGG16), "cannot reconcile a Summary; give totals"),
    (lambda: (None, None), "cannot reconcile a NoneType"),
]


@pytest.mark.parametrize(("pair", "message"), REFUSED)
def test_sides_that_do_not_compare_are_refused(pair, message):
    with pytest.raises(CnnmemError) as caught:
        reconcile(*pair())
    assert message in str(caught.value)


def test_steps_that_do_not_sum_are_a_bug_and_raise():
    with pytest.raises(AssertionError, match="not to the difference"):
        Reconciliation(VGG16.total(), VGG16.total("tensors-mib"), ())


def test_text_and_html_show_every_step():
    result = reconcile(VGG16.total("tensors-mib"), VGG16.total("torchinfo-memory"))
    lines = str(result).splitlines()
    assert len(lines) == len(result.steps) + 2
    assert lines[0].endswith("58.13 MiB")
    assert lines[-1].endswith("108.45 MB")
    assert all(line == line.rstrip() for line in lines)
    page = result._repr_html_()
    for step in result.steps:
        assert step.name in page


def test_two_dtypes_can_be_reconciled():
    half = summary("resnet18", dtype="bfloat16")
    result = reconcile(summary("resnet18").total("autograd"), half.total(autograd("bfloat16")))
    assert_sound(result)
    assert "bytes per value: 2 instead of 4" in [f"{s.stage}: {s.name}" for s in result.steps]


def test_small_numbers_keep_their_digits():
    assert show(Fraction(1, 250)) == "0.0040"
    assert show(Fraction(0)) == "0"
    assert Unit("x").size == 1
