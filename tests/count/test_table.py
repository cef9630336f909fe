"""The table: sums, batches, exports that can be read back, and names with markup in them."""

import csv
import html.parser
import io
import json
import pickle
import re
import sys

import numpy as np
import pytest

from cnnmem import CnnmemError, Network, Node, ShapeError, UnknownNameError, summary
from cnnmem.count.budget import freeze
from cnnmem.count.export import COUNTS as EXPORTED
from cnnmem.count.export import caption, columns, records, to_dict
from cnnmem.model import zoo
from cnnmem.model.layers import Conv2d, Linear, ReLU

ALL = [(name, variant) for name in zoo.names() for variant in zoo.variants(name)]
COLUMNS = columns(summary("lenet5"))  # as people read them: nothing is frozen
COUNTS = COLUMNS[3:]
ODD = [
    "a|b",
    "<b>x</b>",
    "line\nbreak",
    "*star*_under_`tick`",
    'quote",comma',
    "back\\slash",
    "&amp;",
]


def odd_table():
    layers = [Conv2d(4, 3, padding=1), *[ReLU()] * (len(ODD) - 1)]
    return summary(Network.chain("<i>net</i>|\n", dict(zip(ODD, layers, strict=True)), (8, 8, 3)))


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_totals_are_the_sums_of_the_columns(name, variant):
    table = summary(zoo.get(name, variant=variant))
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in _text_rows(table)]
    *body, total = rows
    for column in COUNTS:
        assert sum(_int(row[column]) for row in body) == _int(total[column])
    assert _int(total["weights"]) + _int(total["biases"]) == table.params
    assert _int(total["statistics"]) == table.statistics
    assert _int(total["values"]) == table.values
    assert _int(total["macs"]) == table.macs
    assert _int(total["saved"]) == table.saved_bytes


def _text_rows(table):
    """Parse the text of a table: shapes contain single spaces, so columns are split at two."""
    lines = str(table).splitlines()[2:]
    rows = [re.split(r" {2,}", line) for line in lines if not line.startswith("---")][1:]
    rows[-1][1:1] = ["", ""]
    return rows


def _int(text):
    return int(text.replace(",", ""))


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_both_ways_to_count_what_backward_keeps_give_the_same_sum(name, variant):
    table = summary(zoo.get(name, variant=variant), batch=3)
    by_maker = sum(
        4 * (r.kept_values + r.copies + r.masks + r.batch_statistics) + 8 * r.indices
        for r in table.rows
    )
    assert by_maker == table.saved_bytes == table.total("autograd").base


@pytest.mark.parametrize(("name", "variant"), ALL)
@pytest.mark.parametrize("batch", [2, 7])
def test_counts_grow_with_the_batch_but_parameters_do_not(name, variant, batch):
    network = zoo.get(name, variant=variant)
    one, many = summary(network), summary(network, batch=batch)
    assert many.params == one.params
    assert many.statistics == one.statistics
    assert many.values == batch * one.values
    assert many.macs == batch * one.macs
    fixed = 4 * sum(row.batch_statistics for row in one.rows)  # mean and deviation of the batch
    assert many.saved_bytes - fixed == batch * (one.saved_bytes - fixed)


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_each_output_is_either_new_or_a_view_or_an_overwrite(name, variant):
    table = summary(zoo.get(name, variant=variant))
    for row in table.rows:
        ways = (row.values, row.views, row.overwrites)
        assert sum(bool(n) for n in ways) == 1
        assert row.outputs == int(np.prod(row.output, dtype=object))


def test_height_and_width_are_not_mixed_up():
    wide, tall = summary("vgg16", (224, 448, 3)), summary("vgg16", (448, 224, 3))
    assert wide["pool5"].output == (7, 14, 512)
    assert tall["pool5"].output == (14, 7, 512)
    assert wide.params == tall.params
    assert "224x448" in wide.total().label


@pytest.mark.parametrize("batch", [0, -1, 1.0, "2", True, None])
def test_an_invalid_batch_is_refused(batch):
    with pytest.raises(ShapeError, match="batch is"):
        summary("vgg16", batch=batch)


def test_numpys_integers_do_not_overflow_a_count():
    table = summary("vgg16", (np.int32(1024), np.int32(1024), np.int16(3)), np.int8(100))
    assert table.macs == 100 * 322_881_617_920
    assert type(table.macs) is int


BAD = [
    (
        {"dtype": "float8"},
        UnknownNameError,
        "no dtype is called 'float8'; did you mean 'float64'? There are float64",
    ),
    ({"dtype": ["float32"]}, UnknownNameError, "no dtype is called ['float32']"),
    ({"dtype": np.float32}, UnknownNameError, "no dtype is called <class 'numpy.float32'>"),
    ({"mode": "test"}, CnnmemError, "mode is 'test'"),
    ({"device": "cpu"}, CnnmemError, "no option 'device'"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD, ids=[m for *_, m in BAD])
def test_invalid_options_are_refused(options, error, message):
    with pytest.raises(error) as caught:
        summary("vgg16", **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("network", [None, 3, ["vgg16"], Conv2d(8, 3)])
def test_other_objects_than_networks_are_refused_with_a_remedy(network):
    with pytest.raises(CnnmemError, match="give a cnnmem Network, the name of one in the zoo"):
        summary(network)


def test_a_row_is_found_by_its_name_and_unknown_names_are_refused():
    table = summary("vgg16")
    assert table["conv1_1"].params == 1792
    with pytest.raises(UnknownNameError, match="vgg16 has no layer 'x'; its layers are input"):
        table["x"]


def test_the_caption_describes_the_table():
    text = caption(summary("vgg16", (256, 224, 3), 2, dtype="bfloat16", mode="eval"))
    assert text.startswith("vgg16, input 256 x 224 x 3, batch 2, bfloat16: ")
    assert text.endswith("kept for backward in eval mode")


def test_a_summary_survives_pickling():
    table = summary("resnet18")
    assert pickle.loads(pickle.dumps(table)) == table
    assert pickle.loads(pickle.dumps(table.total())) == table.total()


def test_the_dict_goes_through_json_and_keeps_every_int_exact():
    table = summary(zoo.vgg16(variant="keras"), (1024, 1024, 3), 64)
    back = json.loads(json.dumps(to_dict(table)))
    assert back == to_dict(table) == table.to_dict()
    assert list(back) == [
        "network",
        "input",
        "batch",
        "params",
        "statistics",
        "trainable",
        "values",
        "macs",
        "saved_bytes",
        "total",
        "rows",
    ]
    assert back["params"] == 2_183_080_744
    for column in ("values", "macs"):
        assert sum(row[column] for row in back["rows"]) == back[column]
        assert all(type(row[column]) is int for row in back["rows"])
    assert back["total"]["unit"] == "MB"


def test_csv_can_be_read_back():
    for table in (summary("resnet18"), odd_table()):
        rows = list(csv.DictReader(io.StringIO(table.to_csv(), newline="")))
        assert [row["name"] for row in rows] == [row.name for row in table.rows]
        for row, record in zip(rows, records(table), strict=True):
            assert [int(row[column]) for column in EXPORTED] == [record[c] for c in EXPORTED]
            assert row["output"] == "x".join(map(str, record["output"]))


def test_a_carriage_return_in_a_name_does_not_break_the_csv():
    table = summary(Network("net", (Node("a\rb", ReLU()),), (2, 2, 1)))
    assert len(list(csv.reader(io.StringIO(table.to_csv(), newline="")))) == 3


def test_markdown_has_one_line_per_row_and_the_same_numbers():
    for table in (summary("resnet18"), odd_table()):
        caption_line, blank, *lines = table.to_markdown().splitlines()
        assert blank == ""
        assert len(lines) == len(table.rows) + 3  # header, rule, total
        cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
        assert {len(row) for row in cells} == {len(COLUMNS)}
        for row, record in zip(cells[2:-1], records(table), strict=True):
            assert [_int(cell) for cell in row[3:]] == [record[c] for c in COUNTS]
        assert "\n" not in caption_line


def test_markdown_escapes_markup_in_names():
    text = odd_table().to_markdown()
    assert "a\\|b" in text
    assert "\\<b\\>x\\</b\\>" in text
    assert "\\*star\\*\\_under\\_\\`tick\\`" in text
    assert "\\&amp;" in text
    assert "| conv1_1 |" in summary("vgg16").to_markdown()


class _Cells(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.cells = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


def test_html_escapes_names_and_keeps_their_text():
    page = _Cells()
    page.feed(odd_table()._repr_html_())
    assert page.tags == {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    names = page.cells[:: len(COLUMNS)][1:-1]
    assert names == [name.replace("\n", " ") for name in ODD]


def test_the_text_has_one_line_per_row_whatever_the_names():
    assert len(str(odd_table()).splitlines()) == len(odd_table().rows) + 6


def test_pandas_gives_the_same_sums():
    pandas = pytest.importorskip("pandas")
    table = summary("densenet121", (1024, 1024, 3), 64)
    frame = table.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.index) == [row.name for row in table.rows]
    assert int(frame["macs"].sum()) == table.macs
    assert int(frame["values"].sum()) == table.values
    assert int(frame["saved"].sum()) == table.saved_bytes


def test_without_pandas_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas, or take to_dict\(\) or to_csv\(\)"):
        summary("vgg16").to_pandas()


def test_a_table_that_does_not_say_what_is_kept_shows_a_dash_and_null():
    plain = summary(Network("net", (Node("fc", Linear(3)),), (4,)))
    table = type(plain)("net", (4,), 1, plain.rows, says_saved=False)
    assert table.saved_bytes is None
    assert table.to_dict()["saved_bytes"] is None
    assert {row["saved"] for row in table.to_dict()["rows"]} == {None}
    assert str(table).splitlines()[-1].endswith(" -")
    assert "kept for backward" not in caption(table)
    with pytest.raises(CnnmemError, match="does not say what is kept for backward"):
        table.total("autograd")
    with pytest.raises(CnnmemError, match="holds only counts"):
        table.explain("fc")


def test_a_frozen_layer_gives_the_text_a_column_of_trainable_parameters():
    table = summary(freeze(zoo.lenet5(), "conv1"))
    assert table.trainable == table.params - table["conv1"].params
    assert "trainable" not in str(summary("lenet5"))
    header, _, *_ = str(table).splitlines()[2:]
    assert header.split()[:7] == [*COLUMNS[:3], "weights", "biases", "statistics", "trainable"]


def test_a_table_is_a_mapping_of_its_rows_by_name():
    table = summary("lenet5")
    assert "conv1" in table
    assert "conv9" not in table
    assert 0 not in table
    assert list(table) == table.keys() == table._ipython_key_completions_()
    assert [table[name] for name in table] == list(table.rows)
    assert len(table) == len(table.rows)


def test_the_tree_has_the_sums_of_each_module():
    table = summary("vgg16")
    lines = table.text(nested=True).splitlines()
    block = next(line for line in lines if line.startswith("block1 ")).split()
    rows = [row for row in table.rows if row.block == "block1"]
    assert _int(block[1]) == sum(row.weights for row in rows)
    assert _int(block[-1]) == sum(row.saved for row in rows)
    assert sum(line.startswith("  ") for line in lines) == sum(
        row.block != row.name for row in table.rows
    )
    flat = table.text(depth=1).splitlines()
    assert not any(line.startswith("  ") for line in flat)
    assert flat[-1].split() == lines[-1].split()
    for depth in (0, True, 1.5, "2"):
        with pytest.raises(CnnmemError, match="depth is"):
            table.text(depth=depth)
