"""Each tool's convention gives what the tool prints, module by module, or says what is outside.

The tools themselves run where they are installed: `make test-audit`. What they printed is not
stored; the totals of a few modules, which were read off them, are.
"""

from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")

from tool_corpus import CORPUS, Swish
from torch import nn

from cnnmem import reconcile, summary
from cnnmem.count.convention import Convention, Count, Outside
from cnnmem.count.tools import TOOLS
from cnnmem.errors import CnnmemError
from cnnmem.frameworks.pytorch.counters import count
from cnnmem.units import MACS

if find_spec("ptflops") and find_spec("torchvision"):  # ptflops imports torchvision
    import torchvision_shim  # noqa: F401

# torchprofile does not know what torch makes of a whole attention in evaluation mode.
STOPS = {("attention", "torchprofile"): AttributeError}


def table(name):
    make, shape = CORPUS[name]
    return summary(make(), (1, *shape), mode="eval")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", CORPUS)
def test_a_total_is_what_the_tool_prints_or_names_what_is_outside(name, tool):
    pytest.importorskip(TOOLS[tool].package)
    make, shape = CORPUS[name]
    total = table(name).total(TOOLS[tool].convention)
    stops = STOPS.get((name, tool))
    if tool == "torchstat" and len(shape) != 3:  # not an image
        stops = TOOLS[tool].stops
    if stops:
        with pytest.raises(stops):
            count(tool, make, shape)
    else:
        assert total.outside or total.value == count(tool, make, shape)


def test_nearly_all_totals_are_exact():
    outside = {
        (name, tool): total.outside
        for name in CORPUS
        for tool in set(TOOLS) - {"torchstat"}  # which takes no other inputs than images
        if (total := table(name).total(TOOLS[tool].convention)).outside
    }
    assert len(outside) <= 0.05 * len(CORPUS) * len(TOOLS)
    families = ("attention", "encoder", "LSTM", "GRU", "RNN", "einsum", "bilinear", "parent")
    ways = ("own activation", "Lp pool", "local response", "width", "1.5", "weight norm")
    assert not [name for name, _ in outside if not any(w in name for w in families + ways)]


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("transposed", (64, 208, 192, 48, 192, 64, 96)),
        ("a convolution called three times", (28416, 28416, 27648, 27648, 27648, 28416, 55296)),
        ("linear of tokens", (680, 136, 640, 640, 640, 680, 1280)),
        ("group norm", (32256, 32272, 32256, 36864, 31104, 34560, 62208)),
        ("bilinear up", (0, 0, 6912, 6912, 19008, 3456, 0)),
        ("adaptive avg pool to 5 x 5", (0, 0, 75, 432, 507, 864, 0)),
        ("PReLU", (0, 1, 0, 0, 432, 864, 0)),
        ("torch.relu", (0, 0, 0, 0, 0, 0, 0)),
        ("F.relu", (0, 0, 0, 0, 0, 432, 0)),
        ("padding same", (32256, 32256, 0, 0, 31104, 32256, 62208)),
    ],
)
def test_what_the_tools_printed_for_a_module(name, printed):
    found = table(name)
    tools = [tool for tool in TOOLS if tool != "torchstat"]
    totals = {tool: int(found.total(TOOLS[tool].convention).value) for tool in tools}
    assert totals == dict(zip(tools, printed, strict=True))


def test_a_total_says_how_many_rows_are_outside_instead_of_looking_exact():
    found = summary(nn.Sequential(nn.Conv2d(3, 8, 1), Swish(), nn.LPPool2d(2, 2)), (1, 3, 8, 8))
    total = found.total("torchprofile")
    assert total.outside == ("1", "2")
    said = "outside this convention: 2 rows (1, 2); the others add up to 1,536 MACs"
    assert total.note in said
    assert said in str(total)
    assert said in repr(total)
    assert said.partition(";")[0] in str(reconcile(found.total("macs"), total))
    exact = found.total("torchinfo-macs")
    assert exact.outside == ()
    assert exact.note == ""
    assert "outside" not in str(exact)


def test_what_is_outside_is_in_the_json():
    from cnnmem.count.export import to_dict

    found = summary(nn.Sequential(nn.Conv2d(3, 8, 1), Swish()), (1, 3, 8, 8))
    assert to_dict(found, "fvcore")["total"]["outside"] == ["1"]
    assert "outside" not in to_dict(found, "macs")["total"]


def test_an_operator_is_told_from_a_method():
    class Sums(nn.Module):
        def forward(self, x):
            return (x + x).add(x).mul(x) * x

    rows = summary(Sums(), (1, 3, 4, 4))
    assert ["operator" in call.facts for call in rows.calls[1:]] == [True, False, False, True]


def test_the_recorder_tells_the_same_facts():
    class Step(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sign()

    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.GroupNorm(3, 3)

        def forward(self, x):
            y = torch.nn.functional.relu(self.norm(x) + x)
            return Step.apply(torch.add(y, x))

    found = summary(Steps(), (1, 3, 4, 4))
    assert found.how == "recorded"
    facts = {row.name: call.facts for row, call in zip(found.rows, found.calls, strict=True)}
    assert {"class", "GroupNorm", "scale"} <= facts["norm"]
    assert "operator" in facts["add"]
    assert "F" in facts["relu"]
    assert "torch" in facts["add:2"]


def test_a_convention_takes_only_rows_that_are_outside():
    with pytest.raises(CnnmemError, match="give a tuple of Outside"):
        Convention("mine", "mine", (Count("macs"),), unit=MACS, outside=("attention",))
    mine = Convention(
        "mine", "mine", (Count("macs"),), unit=MACS, outside=(Outside(("max_pool",)),)
    )
    assert summary("vgg16").total(mine).note == (
        "outside this convention: 5 rows (pool1, pool2, pool3, ...)"
    )
