"""Published numbers: what was printed, where, and the convention that gives it, or none.

A number whose accounting nobody has found is "unexplained" and stays so: an explanation that
merely comes close would be one more number of folklore.

>>> number = get("torchsummary-vgg16")
>>> number.verdict, number.reproduced().convention.name
('explained', 'torchsummary')
>>> get("cs231n-93").verdict
'unexplained'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

from cnnmem.count import conventions
from cnnmem.count.table import Table, table_of
from cnnmem.count.tools import TOOLS, Tool
from cnnmem.count.totals import Total, total
from cnnmem.errors import CnnmemError, look_up
from cnnmem.model import zoo
from cnnmem.units import FLOPS, MACS, MB, OPERATIONS, PARAMETERS, VALUES, MiB, Unit, number


@dataclass(frozen=True)
class Published:
    """A number as somebody printed it.

    `printed` is the text, `value` the number in `unit` that the text stands for (many texts print
    MiB as "MB": `unit` is the one meant). `network`, `options` (of its zoo function), `size` and
    `batch` say of what; `convention` gives the number, to within `tolerance` where it was printed
    rounded. No convention: the number is unexplained, and `note` says what was tried.
    """

    id: str
    printed: str
    value: Fraction
    unit: Unit
    what: str
    source: str
    network: str
    size: int = 224
    options: tuple[tuple[str, Any], ...] = ()
    batch: int = 1
    convention: str = ""
    tolerance: Fraction = Fraction(0)
    note: str = ""

    def __post_init__(self) -> None:
        reached = self.reproduced()
        if reached is not None and abs(reached.value - self.value) > self.tolerance:
            raise CnnmemError(
                f"{self.id}: {self.convention} gives {number(reached.value, 6)} {reached.unit}, "
                f"not {number(self.value, 6)}; correct the number or leave the convention out"
            )

    @property
    def label(self) -> str:
        """What the number is called in a table or chart."""
        return f"published: {self.printed}"

    @property
    def verdict(self) -> str:
        """The word "explained", or "unexplained" where no convention gives the number."""
        return "explained" if self.convention else "unexplained"

    @property
    def measures(self) -> str:
        """What the number is of: "memory" or "operations"."""
        return "operations" if self.unit in (MACS, FLOPS, OPERATIONS) else "memory"

    def table(self) -> Table:
        """Return the table of the network that the number is about."""
        network = zoo.get(self.network, **dict(self.options))
        shape = (self.size, self.size, network.image[2])
        return table_of(network, shape, self.batch)

    def reproduced(self) -> Total | None:
        """Return the total that explains the number, or None where there is none."""
        return total(self.table(), self.convention) if self.convention else None


def _published(
    id: str,
    printed: str,
    value: str | int,
    unit: Unit,
    what: str,
    source: str,
    network: str,
    **more: Any,
) -> Published:
    options = tuple(more.pop("options", {}).items())
    tolerance = Fraction(Decimal(str(more.pop("tolerance", 0))))
    return Published(
        id, printed, Fraction(Decimal(str(value))), unit, what, source, network,
        options=options, tolerance=tolerance, **more,
    )  # fmt: skip


CS231N = "CS231n notes, Convolutional Networks: VGGNet in detail"
BLOG_KERAS = "script of a blog that walks keras.Model.layers, 2018"
RESNET = "recorded from the tool, torchvision's resnet18 at 224"
TORCHVISION = {"variant": "torchvision"}


def _all() -> tuple[Published, ...]:
    p = _published
    entries = [
        p("vgg16-138m", "138M", 138_000_000, PARAMETERS, "parameters of VGG-16", CS231N, "vgg16",
          convention="weights", tolerance=500_000),
        p("vgg16-528mb", "528 MB", 528, MiB, "size of VGG-16's weights file",
          "Keras, table of applications", "vgg16", convention="parameters-mib", tolerance="0.5"),
        p("vgg16-553mb", "553 MB", 553, MB, "size of VGG-16's weights file", "file listings",
          "vgg16", convention="parameters-mb", tolerance="0.5"),
        p("vgg16-526", "526 M", 526, MiB, "memory of VGG-16's parameters", "blogs: 138M x 4 bytes",
          "vgg16", convention="parameters-rounded-mib", tolerance="0.5"),
        p("vgg16-552", "552 M", 552, MB, "memory of VGG-16's parameters", "blogs: 138M x 4 bytes",
          "vgg16", convention="parameters-rounded-mb"),
        p("cs231n-15m", "15.184M", "15184000", VALUES, "feature-map values of VGG-16",
          "the sum of the printed column of the " + CS231N, "vgg16", convention="cs231n-values",
          tolerance=500),
        p("cs231n-60", "~60 MB", 60, MB, "feature maps of VGG-16, one image", CS231N, "vgg16",
          convention="cs231n", tolerance=1),
        p("cs231n-24m", "24M", 24_000_000, VALUES, "feature-map values of VGG-16",
          CS231N + ", until corrected; cs231n/cs231n.github.io issue 88", "vgg16",
          note="1,920 accountings were tried; none that is natural for VGG-16 gives 24M. Near "
          "hits: conv and ReLU outputs of VGG-13 (24,485,888); every pool's input, output and "
          "int64 index (24,410,624). Coming close is no explanation."),
        p("cs231n-93", "93 MB", 93, MB, "feature maps of VGG-16, one image",
          CS231N + "; cs231n/cs231n.github.io issue 88 (2016, still open)", "vgg16",
          note="Printed as 24M * 4 bytes ~= 93MB. 24M x 4 bytes are 96.0 MB or 91.6 MiB, neither "
          "93; and the 24M are unexplained themselves."),
        p("cs231n-96", "96 MB", 96, MB, "feature maps of VGG-16, one image", "later CS231n slides",
          "vgg16", note="24M x 4 bytes, correctly multiplied; the 24M stay unexplained."),
        p("keras-vgg16-outputs", "58.2226 MiB", "58.2226", MiB, "layer outputs of Keras' VGG-16",
          BLOG_KERAS, "vgg16", options={"variant": "keras"}, convention="keras-outputs",
          tolerance="0.00005"),
        p("torchinfo-vgg16", "108.45 MB", "108.45", MB, "forward/backward pass size",
          "torchinfo 1.8", "vgg16", options=TORCHVISION, convention="torchinfo-memory",
          tolerance="0.005"),
        p("torchsummary-vgg16", "218.78 MB", "218.78", MiB, "forward/backward pass size",
          "torchsummary 1.5", "vgg16", options=TORCHVISION, convention="torchsummary",
          tolerance="0.005"),
        p("torchstat-vgg16", "109.39 MB", "109.39", MiB, "total memory", "torchstat 0.0.7", "vgg16",
          options=TORCHVISION, convention="torchstat", tolerance="0.005"),
        p("caffe-vgg16", "114.58 MB", "114.583552", MB,
          "memory required for data", "BVLC/caffe issue 3042", "vgg16",
          convention="caffe-to-relu7"),
        p("keras-vgg16-1024", "9543.83 MiB", "9543.8272094727", MiB,
          "parameters and layer outputs of VGG-16 at 1024x1024", BLOG_KERAS, "vgg16", size=1024,
          options={"variant": "keras"}, convention="keras-memory", tolerance="0.00000000005"),
        p("keras-densenet201-1024-2018", "6228.87 MiB", "6228.874008178711", MiB,
          "parameters and layer outputs of DenseNet-201 at 1024x1024, Keras of 2018", BLOG_KERAS,
          "densenet201", size=1024, options={"variant": "keras2018"}, convention="keras-memory",
          tolerance="0.0000000000005"),
        p("keras-negative", "-2,111,886,552", -2_111_886_552, PARAMETERS,
          "parameters of VGG-16 at 1024x1024", "Keras up to 2.2 with NumPy 1 on Windows", "vgg16",
          size=1024, options={"variant": "keras"}, convention="keras-parameters-int32"),
        p("keras-plausible", "178,203,432", 178_203_432, PARAMETERS,
          "parameters of VGG-16 at 1472x1472", "Keras up to 2.2 with NumPy 1 on Windows", "vgg16",
          size=1472, options={"variant": "keras"}, convention="keras-parameters-int32",
          note="The wrap that looks right: no minus sign warns."),
        p("mobilenet-569m", "569 M", 569_000_000, MACS, "mult-adds of MobileNet",
          "arXiv 1704.04861", "mobilenet_v1", convention="macs", tolerance=500_000),
        p("mobilenet-4866m", "4866 M", 4_866_000_000, MACS,
          "mult-adds of MobileNet with full convolutions", "arXiv 1704.04861", "mobilenet_v1",
          options={"separable": False}, convention="convolution-macs", tolerance=500_000,
          note="The 569 M count the classifier's 1,024,000, these do not."),
        p("mobilenet-4.2m", "4.2 M", 4_200_000, PARAMETERS, "parameters of MobileNet",
          "arXiv 1704.04861", "mobilenet_v1", convention="parameters", tolerance=50_000),
        p("mobilenet-29.3m", "29.3 M", 29_300_000, PARAMETERS,
          "parameters of MobileNet with full convolutions", "arXiv 1704.04861", "mobilenet_v1",
          options={"separable": False}, convention="parameters", tolerance=50_000),
    ]  # fmt: skip
    entries.append(
        p("resnet18-exact", "1,814,073,344", 1_814_073_344, MACS, "operations of ResNet-18",
          f"{RESNET}: {conventions.get('macs').source}", "resnet18", convention="macs")
    )  # fmt: skip
    entries += [_of_tool(tool) for tool in TOOLS.values()]
    return tuple(entries)


def _of_tool(tool: Tool) -> Published:
    """Return what a counting tool printed for ResNet-18."""
    how = tool.convention
    return _published(
        f"resnet18-{tool.name.replace(', ', '-').lower()}",
        f"{tool.resnet18:,}",
        tool.resnet18,
        how.unit,
        "operations of ResNet-18",
        f"{RESNET}: {how.source}",
        "resnet18",
        convention=how.name,
    )


@cache
def catalogue() -> Mapping[str, Published]:
    """Return all published numbers by id; each was checked against its convention when made."""
    return MappingProxyType({entry.id: entry for entry in _all()})


def get(id: str) -> Published:
    """Return a published number by its id; raises `UnknownNameError`."""
    return look_up("published number", id, catalogue())
