"""The command line: every command, exact JSON, and errors of one line."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnnmem import __version__, published, summary
from cnnmem.__main__ import main
from cnnmem.count import conventions
from cnnmem.model import zoo

ALL = [(name, variant) for name in zoo.names() for variant in zoo.variants(name)]


def run(capsys, *arguments):
    """Run the command line in this process; return status, output and errors."""
    status = main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def ran(capsys, *arguments):
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    return out


def module(*arguments, **options):
    """Run `python -m cnnmem` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cnnmem", *arguments], capture_output=True, timeout=60, **options
    )


def test_list_names_every_network_variant_and_convention(capsys):
    out = ran(capsys, "list")
    for name in zoo.names():
        line = next(line for line in out.splitlines() if line.split()[:1] == [name])
        assert all(variant in line for variant in zoo.variants(name))
    for convention in conventions.PRESETS:
        assert f"  {convention.name} " in out


def test_folklore_lists_every_number_with_its_verdict(capsys):
    out = ran(capsys, "folklore")
    for entry in published.catalogue().values():
        line = next(line for line in out.splitlines() if line.startswith(f"{entry.id} "))
        assert entry.printed in line
        assert (f"explained by {entry.convention}" if entry.convention else "unexplained") in line
        assert entry.note in out


@pytest.mark.parametrize(("name", "variant"), ALL)
@pytest.mark.parametrize("top", [True, False])
def test_json_of_every_network_is_the_table(capsys, name, variant, top):
    bare = [] if top else ["--no-top"]
    data = json.loads(ran(capsys, "summary", name, "--variant", variant, "--json", *bare))
    table = summary(zoo.get(name, variant=variant, top=top))
    assert data == table.to_dict()
    counts = ["batch", "params", "statistics", "trainable", "values", "macs", "saved_bytes"]
    assert list(data) == ["network", "input", *counts, "total", "rows"]
    assert set(data["total"]) == {"value", "unit", "convention"}
    for key in counts:
        assert type(data[key]) is int
    for key in ("weights", "biases", "statistics", "values", "macs", "saved"):
        assert all(type(row[key]) is int for row in data["rows"])


def test_vgg16_at_1024_matches_facts_b2_and_b3(capsys):
    data = json.loads(ran(capsys, "summary", "vgg16", "--input", "1024", "--json"))
    assert data["params"] == 2_183_080_744
    assert data["params"] * 4 / 2**20 == pytest.approx(8327.79214477539, abs=1e-11)
    fc1 = next(row for row in data["rows"] if row["name"] == "fc1")
    assert (fc1["weights"] + fc1["biases"], fc1["weights"]) == (2_147_487_744, 2**31)
    as_keras = ["summary", "vgg16", "--variant", "keras", "--input", "1024", "--json"]
    for convention, value in (
        ("keras-outputs", "1216.0350646973"),
        ("keras-memory", "9543.8272094727"),
        ("keras-parameters-int32", "-2111886552"),
    ):
        total = json.loads(ran(capsys, *as_keras, "--convention", convention))["total"]
        assert total["convention"] == convention
        digits = len(value.partition(".")[2])
        assert f"{total['value']:.{digits}f}" == value


def test_all_arguments_reach_the_table(capsys):
    options = "--input 96x160 --batch 3 --classes 7 --dtype bfloat16 --mode eval --json"
    out = ran(capsys, "summary", "mobilenet_v1", *options.split())
    net = zoo.mobilenet_v1(classes=7)
    assert json.loads(out) == summary(net, (96, 160, 3), 3, dtype="bfloat16", mode="eval").to_dict()


def test_csv_is_the_table(capsys):
    rows = list(csv.DictReader(io.StringIO(ran(capsys, "summary", "resnet18", "--csv"))))
    assert sum(int(row["macs"]) for row in rows) == 1_814_073_344


def test_text_and_markdown_end_with_the_total_and_its_convention(capsys):
    for form in ([], ["--markdown"]):
        out = ran(capsys, "summary", "vgg16", "--convention", "tensors-mib", *form)
        assert out.splitlines()[-1].startswith("58.13 MiB, tensors-mib: ")
        assert "138,357,544 parameters" in out.splitlines()[0]


def test_lenet_takes_a_gray_image(capsys):
    data = json.loads(ran(capsys, "summary", "lenet5", "--input", "28", "--json"))
    assert data["input"] == [28, 28, 1]


def test_explain_shows_the_formulas(capsys):
    out = ran(capsys, "explain", "vgg16", "fc1", "--input", "1024")
    assert "2,147,483,648" in out


@pytest.mark.parametrize(
    ("first", "second", "start", "end"),
    [
        ("vgg16:tensors", "vgg16:autograd", "60.95 MB", "73.25 MB"),
        ("vgg16/keras@1024:keras-parameters", "keras-negative", "2,183,080,744", "-2,111,886,552"),
        ("cs231n-93", "vgg16:tensors", "93 MB", "60.95 MB"),
        ("vgg16@224x448:macs", "resnet18:flops", "30,919,655,424", "3,628,146,688 FLOPs"),
    ],
)
def test_reconcile_takes_totals_and_published_numbers(capsys, first, second, start, end):
    lines = ran(capsys, "reconcile", first, second).splitlines()
    assert start in lines[0]
    assert end in lines[-1]
    assert len(lines) > 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("mobilenet_v2/1.4",),
        ("MobileNet-V2/torchvision/1.4",),
        ("mobilenet_v2", "--width", "1.4"),
        ("mobilenet_v2/torchvision", "--width", "1.4"),
        ("mobilenet_v2/1.4", "--variant", "torchvision"),
    ],
)
def test_a_network_is_named_by_its_label_or_by_options(capsys, arguments):
    text = ran(capsys, "summary", *arguments, "--convention", "parameters")
    assert "\n6,108,776 parameters" in text


def test_reconcile_takes_labels_with_variant_width_and_size(capsys):
    lines = ran(capsys, "reconcile", "MobileNetV2/1.4@160:parameters", "vgg-16/keras:parameters")
    assert "mobilenet_v2 at 160x160, parameters" in lines
    assert "6,108,776" in lines.splitlines()[0]


BAD = [
    ((), "required: COMMAND"),
    (("fly",), "invalid choice: 'fly'"),
    (("summary",), "required: NETWORK"),
    (("summary", "vgg17"), "no network is called 'vgg17'; did you mean 'vgg19'? There are lenet5"),
    (("summary", "vgg16", "--input", "0"), "'0' is not an input size; give pixels"),
    (("summary", "vgg16", "--input", "-5"), "--input"),
    (("summary", "vgg16", "--input", "1x2x3"), "'1x2x3' is not an input size"),
    (("summary", "vgg16", "--input", "22.4"), "'22.4' is not an input size"),
    (("summary", "vgg16", "--input", "9" * 5000), "is not an input size"),
    (("summary", "vgg16", "--input", "16"), "layer 'pool5': kernel 2 x 2 does not fit"),
    (("summary", "vgg16", "--batch", "0"), "'0' is not a positive integer"),
    (("summary", "vgg16", "--batch", "two"), "'two' is not a positive integer"),
    (("summary", "vgg16", "--classes", "0"), "'0' is not a positive integer"),
    (("summary", "vgg16", "--variant", "caffe"), "vgg16 has no variant 'caffe'; it has paper"),
    (
        ("summary", "vgg16", "--convention", "x"),
        "no convention is called 'x'; there are parameters",
    ),
    (("summary", "vgg16", "--dtype", "x"), "no dtype is called 'x'; there are float64"),
    (("summary", "vgg16", "--mode", "x"), "invalid choice: 'x'"),
    (("summary", "vgg16", "--json", "--csv"), "not allowed with"),
    (("summary", "vgg16", "extra\nline"), "unrecognized arguments: extra line"),
    (("summary", "resnet18", "--convention", "caffe-to-relu7"), "stops after the row 'relu2'"),
    (("explain", "vgg16"), "required: LAYER"),
    (("explain", "vgg16", "fc_1"), "vgg16 has no layer 'fc_1'; did you mean 'fc1'? Its layers are"),
    (("summary", "vgg16/pape"), "vgg16 has no variant 'pape'"),
    (("summary", "vgg16/keras", "--variant", "paper"), "names a variant"),
    (("summary", "mobilenet_v2/1.4", "--width", "1"), "names a width"),
    (("summary", "vgg16", "--width", "2"), "vgg16 has no option 'width'"),
    (("summary", "mobilenet_v2", "--width", "wide"), "'wide' is not a width multiplier"),
    (("summary", "mobilenet_v2", "--width", "nan"), "width is nan"),
    (("summary", "vgg16", "--no-top", "--classes", "5"), "leave one of the two out"),
    (("reconcile", "vgg16:tensors"), "required: B"),
    (("reconcile", "x", "y"), "'x' is neither a total"),
    (("reconcile", "vgg16:tensors", "vgg16:macs"), "cannot be reconciled"),
    (("reconcile", "vgg16@0:macs", "vgg16:macs"), "'0' is not an input size"),
    (("reconcile", f"vgg16@{'9' * 5000}:macs", "vgg16:macs"), "is not an input size"),
    (("reconcile", "vgg16/x:macs", "vgg16:macs"), "vgg16 has no variant 'x'"),
    (("reconcile", "vgg16:", "vgg16:macs"), "is neither a total"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_arguments_print_one_clear_line_and_return_2(capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("cnnmem: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert message in err


def test_python_m_prints_and_fails_with_status_2_and_no_traceback():
    good = module("summary", "lenet5")
    assert (good.returncode, good.stderr) == (0, b"")
    assert b"conv1" in good.stdout
    bad = module("summary", "vgg17")
    assert (bad.returncode, bad.stdout) == (2, b"")
    assert b"Traceback" not in bad.stderr
    assert module("--help").returncode == 0


def test_a_closed_pipe_gives_no_traceback():
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    for arguments in (("list",), ("summary", "densenet201")):  # less and more than a buffer holds
        process = subprocess.Popen(
            [sys.executable, "-m", "cnnmem", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=buffered,
        )
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert (process.wait(timeout=60), err) == (0, b"")


def test_an_old_code_page_shows_question_marks_instead_of_a_traceback():
    shown = module("explain", "vgg16", "conv1_1", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"= ?(224 + 1 + 1 ?" in shown.stdout


def test_the_version_has_three_numbers():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_output_that_cannot_be_written_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cnnmem", "list"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr == "cnnmem: the output cannot be written: No space left on device\n"
