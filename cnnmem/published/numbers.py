"""Published numbers: what was printed, where, and the convention that gives it, if any.

A number whose accounting nobody has found stays "unexplained": an explanation that merely comes
close would be more folklore.

>>> number = get("torchsummary-vgg16")
>>> number.verdict, number.reproduced().convention.name
('explained', 'torchsummary')
>>> get("cs231n-93").verdict
'unexplained'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from cnnmem.count import conventions
from cnnmem.count.find import CUT
from cnnmem.count.table import Table, table_of
from cnnmem.count.tools import TOOLS, Tool
from cnnmem.count.totals import Total, total
from cnnmem.errors import CnnmemError, look_up
from cnnmem.model import zoo
from cnnmem.units import FLOPS, MACS, MB, OPERATIONS, PARAMETERS, VALUES, MiB, Unit, number

from . import frameworks
from .papers import READ, SOURCES, Source


@dataclass(frozen=True)
class Published:
    """A number as somebody printed it.

    `printed` is the text, `value` the number in `unit` that the text stands for (many texts print
    MiB as "MB": `unit` is the one meant). `network`, `options` (of its zoo function), `size` and
    `batch` say what was counted; `convention` gives the number, to within `tolerance` if it was
    printed rounded. If digits were `cut`, the total is the number or up to `tolerance` above it.
    Without a convention it is unexplained, and `note` says what was tried.
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
    cut: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        reached = self.reproduced()
        if reached is not None and not self._prints(reached.base / self.unit.size):
            raise CnnmemError(
                f"{self.id}: {self.convention} gives {number(reached.value, 6)} {reached.unit}, "
                f"not {number(self.value, 6)}; correct the number or leave the convention out"
            )

    def _prints(self, exact: Fraction) -> bool:
        """Return whether the exact number prints like this."""
        if self.cut:
            return self.value <= exact < self.value + self.tolerance
        return abs(exact - self.value) <= self.tolerance

    @property
    def way(self) -> str:
        """How the total that explains it was printed, if not rounded."""
        return CUT if self.cut else ""

    @property
    def label(self) -> str:
        """The number's name in a table or chart."""
        return f"published: {self.printed}"

    @property
    def verdict(self) -> str:
        """Either "explained" or, if no convention gives the number, "unexplained"."""
        return "explained" if self.convention else "unexplained"

    @property
    def measures(self) -> str:
        """What the number measures: "memory" or "operations"."""
        return "operations" if self.unit in (MACS, FLOPS, OPERATIONS) else "memory"

    def table(self) -> Table:
        """Return the table of the network that was counted."""
        return _table(self.network, self.options, self.size, self.batch)

    def reproduced(self) -> Total | None:
        """Return the total that explains the number; None if it is unexplained."""
        return total(self.table(), self.convention) if self.convention else None


@lru_cache(64)
def _table(name: str, options: tuple[tuple[str, Any], ...], size: int, batch: int) -> Table:
    network = zoo.get(name, **dict(options))
    return table_of(network, (size, size, network.image[2]), batch)


def _published(
    id: str,
    printed: str,
    value: str | int | Fraction,
    unit: Unit,
    what: str,
    source: str,
    network: str,
    **more: Any,
) -> Published:
    options = tuple(more.pop("options", {}).items())
    tolerance = Fraction(more.pop("tolerance", 0))
    exact = Fraction(value)
    return Published(
        id,
        printed,
        exact,
        unit,
        what,
        source,
        network,
        options=options,
        tolerance=tolerance,
        **more,
    )


CS231N = (
    "CS231n notes, Convolutional Networks: VGGNet in detail (convolutional-networks.md, as it was "
    "on 2026-04-27)"
)
KERAS_TABLE = "Keras, table of applications (keras-team/keras-io at 01b6d6c), read 2026-11-26"
BLOG_KERAS = "script of a blog that walks keras.Model.layers, 2018"
RESNET = "recorded from the tool, torchvision's resnet18 at 224"
TORCHVISION = {"variant": "torchvision"}


def _all() -> tuple[Published, ...]:
    p = _published
    entries = [
        p(
            "vgg16-138m",
            "138M",
            value=138_000_000,
            unit=PARAMETERS,
            what="parameters of VGG-16",
            source=CS231N,
            network="vgg16",
            convention="weights",
            tolerance=500_000,
        ),
        p(
            "vgg16-528mb",
            "528 MB",
            value=528,
            unit=MiB,
            what="size of VGG-16's weights file",
            source=KERAS_TABLE,
            network="vgg16",
            convention="parameters-mib",
            tolerance="0.5",
        ),
        p(
            "vgg16-553mb",
            "553 MB",
            value=553,
            unit=MB,
            what="size of VGG-16's weights file",
            source="the values in bytes; torchvision 0.28.0 gives its file 527.796 MiB",
            network="vgg16",
            convention="parameters-mb",
            tolerance="0.5",
        ),
        p(
            "vgg16-526",
            "526 M",
            value=526,
            unit=MiB,
            what="memory of VGG-16's parameters",
            source="138M x 4 bytes, multiplied here",
            network="vgg16",
            convention="parameters-rounded-mib",
            tolerance="0.5",
        ),
        p(
            "vgg16-552",
            "552 M",
            value=552,
            unit=MB,
            what="memory of VGG-16's parameters",
            source="138M x 4 bytes, multiplied here",
            network="vgg16",
            convention="parameters-rounded-mb",
        ),
        p(
            "cs231n-15m",
            "15.184M",
            value="15184000",
            unit=VALUES,
            what="feature-map values of VGG-16",
            source="the sum of the printed column of the " + CS231N,
            network="vgg16",
            convention="cs231n-values",
            tolerance=500,
        ),
        p(
            "cs231n-60",
            "~60 MB",
            value=60,
            unit=MB,
            what="feature maps of VGG-16, one image",
            source=CS231N,
            network="vgg16",
            convention="cs231n",
            tolerance=1,
        ),
        p(
            "cs231n-24m",
            "24M",
            value=24_000_000,
            unit=VALUES,
            what="feature-map values of VGG-16",
            source=CS231N + "; cs231n/cs231n.github.io issue 88 (2016, still open)",
            network="vgg16",
            note="1,920 accountings were tried; none that is natural for VGG-16 gives 24M. Near "
            "hits: conv and ReLU outputs of VGG-13 (24,485,888); every pool's input, output and "
            "int64 index (24,410,624). Coming close explains nothing.",
        ),
        p(
            "cs231n-93",
            "93 MB",
            value=93,
            unit=MB,
            what="feature maps of VGG-16, one image",
            source=CS231N + "; cs231n/cs231n.github.io issue 88 (2016, still open)",
            network="vgg16",
            note="Printed as 24M * 4 bytes ~= 93MB. 24M x 4 bytes are 96.0 MB or 91.6 MiB, neither "
            "93; and the 24M are unexplained themselves.",
        ),
        p(
            "cs231n-96",
            "96 MB",
            value=96,
            unit=MB,
            what="feature maps of VGG-16, one image",
            source="CS231n, lecture 9, slide 32 (May 2, 2017), read as a copy on 2026-11-27",
            network="vgg16",
            note="24M x 4 bytes, correctly multiplied; the 24M stay unexplained.",
        ),
        p(
            "keras-vgg16-outputs",
            "58.2226 MiB",
            value="58.2226",
            unit=MiB,
            what="layer outputs of Keras' VGG-16",
            source=BLOG_KERAS,
            network="vgg16",
            options={"variant": "keras"},
            convention="keras-outputs",
            tolerance="0.00005",
        ),
        p(
            "torchinfo-vgg16",
            "108.45 MB",
            value="108.45",
            unit=MB,
            what="forward/backward pass size",
            source="torchinfo 1.8",
            network="vgg16",
            options=TORCHVISION,
            convention="torchinfo-memory",
            tolerance="0.005",
        ),
        p(
            "torchsummary-vgg16",
            "218.78 MB",
            value="218.78",
            unit=MiB,
            what="forward/backward pass size",
            source="torchsummary 1.5",
            network="vgg16",
            options=TORCHVISION,
            convention="torchsummary",
            tolerance="0.005",
        ),
        p(
            "torchstat-vgg16",
            "109.39 MB",
            value="109.39",
            unit=MiB,
            what="total memory",
            source="torchstat 0.0.7",
            network="vgg16",
            options=TORCHVISION,
            convention="torchstat",
            tolerance="0.005",
        ),
        p(
            "caffe-vgg16",
            "114.58 MB",
            value="114.583552",
            unit=MB,
            what="memory required for data",
            source="BVLC/caffe issue 3042",
            network="vgg16",
            convention="caffe-to-relu7",
        ),
        p(
            "keras-vgg16-1024",
            "9543.83 MiB",
            value="9543.8272094727",
            unit=MiB,
            what="parameters and layer outputs of VGG-16 at 1024x1024",
            source=BLOG_KERAS,
            network="vgg16",
            size=1024,
            options={"variant": "keras"},
            convention="keras-memory",
            tolerance="0.00000000005",
        ),
        p(
            "keras-densenet201-1024-2018",
            "6228.87 MiB",
            value="6228.874008178711",
            unit=MiB,
            what="parameters and layer outputs of DenseNet-201 at 1024x1024, Keras of 2018",
            source=BLOG_KERAS,
            network="densenet201",
            size=1024,
            options={"variant": "keras2018"},
            convention="keras-memory",
            tolerance="0.0000000000005",
        ),
        p(
            "keras-negative",
            "-2,111,886,552",
            value=-2_111_886_552,
            unit=PARAMETERS,
            what="parameters of VGG-16 at 1024x1024",
            source="Keras up to 2.2 with NumPy 1 on Windows",
            network="vgg16",
            size=1024,
            options={"variant": "keras"},
            convention="keras-parameters-int32",
        ),
        p(
            "keras-plausible",
            "178,203,432",
            value=178_203_432,
            unit=PARAMETERS,
            what="parameters of VGG-16 at 1472x1472",
            source="Keras up to 2.2 with NumPy 1 on Windows",
            network="vgg16",
            size=1472,
            options={"variant": "keras"},
            convention="keras-parameters-int32",
            note="The wrap that looks right: no minus sign warns.",
        ),
        p(
            "mobilenet-569m",
            "569 M",
            value=569_000_000,
            unit=MACS,
            what="mult-adds of MobileNet",
            source=f"Howard et al., arXiv 1704.04861, table 4; {READ}",
            network="mobilenet_v1",
            convention="macs",
            tolerance=500_000,
        ),
        p(
            "mobilenet-4866m",
            "4866 M",
            value=4_866_000_000,
            unit=MACS,
            what="mult-adds of MobileNet with full convolutions",
            source=f"Howard et al., arXiv 1704.04861, table 4; {READ}",
            network="mobilenet_v1",
            options={"separable": False},
            convention="convolution-macs",
            tolerance=500_000,
            note="The 569 M count the classifier's 1,024,000, these do not.",
        ),
        p(
            "mobilenet-4.2m",
            "4.2 M",
            value=4_200_000,
            unit=PARAMETERS,
            what="parameters of MobileNet",
            source=f"Howard et al., arXiv 1704.04861, table 4; {READ}",
            network="mobilenet_v1",
            convention="parameters",
            tolerance=50_000,
        ),
        p(
            "mobilenet-29.3m",
            "29.3 M",
            value=29_300_000,
            unit=PARAMETERS,
            what="parameters of MobileNet with full convolutions",
            source=f"Howard et al., arXiv 1704.04861, table 4; {READ}",
            network="mobilenet_v1",
            options={"separable": False},
            convention="parameters",
            tolerance=50_000,
        ),
        p(
            "resnet18-exact",
            "1,814,073,344",
            value=1_814_073_344,
            unit=MACS,
            what="operations of ResNet-18",
            source=f"{RESNET}: {conventions.get('macs').source}",
            network="resnet18",
            convention="macs",
        ),
    ]
    tables = [number for source in SOURCES for number in _of_source(source)]
    return (*entries, *map(_of_tool, TOOLS.values()), *_of_torchvision(), *_of_keras(), *tables)


def _of_source(source: Source) -> Iterator[Published]:
    """Yield the numbers in the table of a source."""
    for line in filter(str.strip, source.rows.splitlines()):
        label, size, *values = line.split()
        name, _, extra = label.partition("+")
        for column, text in zip(source.columns, values, strict=True):
            figure = text.rstrip("_?")
            if figure == "-":
                continue
            place = Fraction(column.scale, 10 ** len(figure.partition(".")[2]))
            missing, cut = text.endswith("?"), text.endswith("_")
            why = {"note": source.note} if missing else {"convention": column.convention}
            yield _published(
                f"{source.id}-{label.replace('/', '-')}-{size}-{column.id}",
                f"{figure}{column.written}",
                Fraction(figure) * column.scale / column.unit.size,
                column.unit,
                f"{column.what} of {label} at {size}",
                source.cite,
                name,
                size=int(size),
                options={extra: True} if extra else {},
                tolerance=(place if cut else place / 2) / column.unit.size,
                cut=cut,
                **why,
            )


def _of_torchvision() -> Iterator[Published]:
    """Yield the parameters and operations that torchvision states of its models."""
    for label, stated in frameworks.TORCHVISION.items():
        name, _, variant = label.partition("/")
        source = f"torchvision 0.28.0, {stated.weights}.IMAGENET1K_V1, read 2026-11-26"
        options: dict[str, Any] = {"variant": variant} if variant else {}
        auxiliary = {"auxiliary": True} if name in frameworks.AUXILIARY else {}
        size = zoo.get(label).image[0]
        yield _published(
            f"torchvision-{name}",
            f"{stated.parameters:,}",
            stated.parameters,
            PARAMETERS,
            f"parameters of torchvision's {name}",
            f"{source} (num_params)",
            name,
            options=options | auxiliary,
            size=size,
            convention="parameters",
        )
        yield _published(
            f"torchvision-{name}-gflops",
            f"{stated.operations} GFLOPS",
            int(Decimal(stated.operations) * 10**9),
            MACS,
            f"operations of torchvision's {name}, which are multiply-accumulates",
            f"{source} (_ops)",
            name,
            options=options,
            size=size,
            convention="macs",
            tolerance=500_000,
        )


def _of_keras() -> Iterator[Published]:
    """Yield the parameters and file sizes in Keras' table of applications."""
    for label, stated in frameworks.KERAS.items():
        name, _, variant = label.partition("/")
        size = zoo.get(label).image[0]
        of = {"options": {"variant": variant}, "size": size}
        yield _published(
            f"keras-{name}",
            f"{stated.parameters:,}",
            stated.parameters,
            PARAMETERS,
            f"parameters of Keras' {stated.name}, running statistics included",
            KERAS_TABLE,
            name,
            convention="keras-parameters",
            **of,
        )
        mib = Fraction(stated.parameters * 4, 2**20)
        explained = abs(mib - stated.size) <= Fraction(1, 2)
        why: dict[str, Any] = {"convention": "keras-parameters-mib", "tolerance": "0.5"}
        if not explained:
            why = {
                "note": f"The values alone are {number(mib, 1)} MiB. What else the file of that "
                "time held is not known."
            }
        yield _published(
            f"keras-{name}-size",
            f"{stated.size} MB",
            stated.size,
            MiB,
            f"size of the weights file of Keras' {stated.name}",
            KERAS_TABLE,
            name,
            **of,
            **why,
        )


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
    """Return all published numbers by id; `Published` has checked each against its convention."""
    return MappingProxyType({entry.id: entry for entry in _all()})


def get(id: str) -> Published:
    """Return a published number by its id; raises `UnknownNameError`."""
    return look_up("published number", id, catalogue())
