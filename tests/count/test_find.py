"""A printed number is looked for under every convention, variant and size."""

import subprocess
import sys
from fractions import Fraction

import pytest

from cnnmem import CnnmemError, Network, find, layers, reconcile, summary
from cnnmem.__main__ import main
from cnnmem.count.find import CUT, EXACT, OPEN, ROUNDED, printed_text
from cnnmem.model import zoo
from cnnmem.widgets import find_number

FOUND = [
    ("25.6M", "resnet50", "resnet50@224:parameters", ROUNDED, 3),
    ("25.64 million parameters", "resnet50", "resnet50/keras@224:keras-parameters", ROUNDED, 4),
    ("3.8 GFLOPs", "resnet50", "resnet50/paper@224:macs", CUT, 2),
    ("4.1G MACs", "resnet50", "resnet50@224:macs", ROUNDED, 2),
    ("23.85M", "inception_v3", "inception_v3/keras@299:keras-parameters", ROUNDED, 4),
    ("27.16 M", "inception_v3", "inception_v3 (auxiliary classifiers)@299:parameters", ROUNDED, 4),
    ("138,357,544", "vgg16", "vgg16@224:parameters", EXACT, 9),
    ("138M", None, "vgg16@224:parameters", ROUNDED, 3),
    ("528 MB", "vgg16", "vgg16@224:parameters-mib", ROUNDED, 3),
    ("553.43 MB", "vgg16", "vgg16@224:parameters-mb", ROUNDED, 5),
    ("60 MB", "vgg16", "vgg16@224:tensors", CUT, 2),
    ("300M", "mobilenet_v2", "mobilenet_v2@224:macs", CUT, 3),
    ("314M", "mobilenet_v2", "mobilenet_v2@224:fvcore", ROUNDED, 3),
    ("221M MACs", "mobilenet_v2", "mobilenet_v2@192:macs", ROUNDED, 3),
    ("6.1M", "mobilenet_v2", "mobilenet_v2/1.4@224:parameters", ROUNDED, 2),
    ("30.9 GFLOPs", "vgg16", "vgg16@224:flops", ROUNDED, 3),
    ("-2,111,886,552", "vgg16", "vgg16@1024:keras-parameters-int32", EXACT, 10),
    ("1,824,033,792", "resnet18", "resnet18@224:thop", EXACT, 10),
]


@pytest.mark.parametrize(("text", "network", "address", "rule", "digits"), FOUND)
def test_the_best_match_is_the_usual_way_that_prints_like_the_text(
    text, network, address, rule, digits
):
    found = find(text, network)
    best = found.matches[0]
    assert (best.address, best.rule, best.digits) == (address, rule, digits)


@pytest.mark.parametrize(
    ("text", "network", "options"),
    [
        ("93 MB", "vgg16", {"size": 224}),
        ("6.8M parameters", "googlenet", {}),
        ("236M MACs", "mobilenet_v3_large", {"size": 224}),
    ],
)
def test_what_no_total_prints_like_is_unexplained_and_the_nearest_are_said(text, network, options):
    found = find(text, network, **options)
    assert (found.verdict, found.matches) == ("unexplained", ())
    assert found.nearest
    assert "less" in str(found)
    assert "No total prints like that" in found.sentence()


def test_every_total_of_the_zoo_is_found_by_its_own_digits():
    for name in zoo.names():
        table = summary(name)
        for convention in ("parameters", "macs"):
            total = table.total(convention)
            found = find(f"{int(total.value):,} {total.unit}", name)
            assert found.matches[0].total.value == total.value
            assert found.matches[0].rule == EXACT


def test_two_digits_may_be_chance_and_nine_are_not():
    few, many = find("4.1 G"), find("138,357,544")
    assert few.verdict == "may be chance"
    assert few.expected > 0.1
    assert "may be chance" in few.sentence()
    assert many.verdict == "found"
    assert many.expected < 1e-6


def test_expected_matches_are_the_mean_over_all_numbers_of_as_many_digits():
    texts = [f"{tenths / 10:.1f}M parameters" for tenths in range(100, 1000)]
    answers = [find(text, "vgg16", size=224) for text in texts]
    expected = [answer.expected for answer in answers if not answer.matches]
    assert max(expected) - min(expected) < 1e-9
    matches = sum(len(answer.matches) for answer in answers)
    assert matches == 2  # without the classifier: the parameters, and the weights without biases
    assert expected[0] == pytest.approx(matches / len(texts))


def test_zeros_at_the_end_may_only_fill_places():
    found = find("140M parameters", "vgg16")
    assert (found.matches[0].rule, found.matches[0].digits) == (OPEN, 2)


def test_a_model_of_ones_own_is_searched_at_its_size():
    own = Network.chain("own", {"conv": layers.Conv2d(8, 3), "relu": layers.ReLU()}, (9, 9, 3))
    found = find("224", own, (9, 9, 3))
    assert found.matches[0].address == "own@9:parameters"
    with pytest.raises(CnnmemError, match="cannot summarise a float"):
        find("224", 3.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<0.5 MB", "is a bound"),
        ("≥ 3M", "is a bound"),
        ("0.75 x", "does not measure a network"),
        ("74 %", "does not measure a network"),
        ("3 pixels", "does not measure a network"),
        ("2^20", "has no last digit"),
        ("", "I can't read this as a number"),
        ("many", "I can't read this as a number"),
        (None, "give it as a text"),
        (25.6, "give it as a text"),
    ],
)
def test_what_is_no_printed_number_is_refused(text, words):
    with pytest.raises(CnnmemError, match=words):
        find(text, "lenet5")


@pytest.mark.parametrize("options", [{"most": 0}, {"most": 2.5}, {"size": 0}, {"size": "big"}])
def test_options_are_checked(options):
    with pytest.raises(CnnmemError, match=next(iter(options))):
        find("25.6M", "lenet5", **options)


def test_a_text_is_one_side_of_a_reconciliation():
    total = summary("resnet50").total("parameters")
    there = reconcile(total, "25.64M")
    assert [(step.stage, step.name) for step in there.steps] == [
        ("rows", "convolutions: biases added"),
        ("what is counted", "batch normalisation: running statistics counted"),
        ("print", "rounded, 4 digits"),
    ]
    back = reconcile("25.6M", total)
    assert [(step.name, step.delta) for step in back.steps] == [
        ("exact instead of rounded, 3 digits", Fraction(-42_968))
    ]
    assert reconcile(total, "1.2345M").unexplained
    mib = reconcile(summary("vgg16").total("parameters-mb"), "528 MB")
    assert [step.name for step in mib.steps] == ["MiB instead of MB", "rounded, 3 digits"]


def test_a_text_beside_another_measure_or_without_a_network_is_refused():
    with pytest.raises(CnnmemError, match="does not count MACs"):
        printed_text("93 MB", summary("vgg16").total("macs"))
    with pytest.raises(CnnmemError, match="number without a network"):
        reconcile("25.6M", "25.64M")


def test_the_command_line_finds_and_reconciles(capsys):
    assert main(["find", "25.64M", "resnet50", "--input", "224"]) == 0
    assert "resnet50/keras@224:keras-parameters" in capsys.readouterr().out
    assert main(["reconcile", "resnet50:parameters", "25.6M"]) == 0
    assert "rounded, 3 digits" in capsys.readouterr().out
    assert main(["find", "much"]) == 2
    assert main(["reconcile", "resnet50:parameters", "much"]) == 2


def test_the_explorer_shows_matches_and_refusals():
    explorer = find_number("25.64M", "resnet50")
    assert explorer.readout.startswith("25.64M: found")
    assert explorer.view.table[1][0][0].startswith("resnet50/keras@224:keras-parameters")
    explorer.set(text="93 MB", network="vgg16")
    assert explorer.readout.startswith("93 MB: unexplained")
    explorer.set(text="much")
    assert "'much': I can't read this as a number" in explorer.message
    explorer.set(text="138M", network=None)
    assert explorer.message == ""


def test_finding_needs_no_framework():
    code = (
        "import sys; import cnnmem; cnnmem.find('138M');"
        "assert not {'torch', 'keras', 'numpy', 'ipywidgets'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
