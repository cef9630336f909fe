"""The explorers of MobileNet's bargain: separable convolutions beside full ones, block by block."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from cnnmem import published
from cnnmem.charts import Series, StackedBars
from cnnmem.count.conventions import CONVOLUTION
from cnnmem.count.table import Table, table_of
from cnnmem.model.zoo import mobilenet_v1
from cnnmem.plots.bargain import MEASURES, pairs, part_of, ratios, savings
from cnnmem.units import number, percent

from .controls import Checkbox, Dropdown, Slider
from .explorer import Explorer, View

NATURAL = 224  # pixels at resolution multiplier 1
WORK = ("MACs", "parameters")
SHOW = ("block beside block", "the ratio, with the rule", "all savings")


@lru_cache(maxsize=16)
def _table(width: int, size: int, kernel: int, activation: str, separable: bool) -> Table:
    return table_of(
        mobilenet_v1(
            width=width / 100,
            resolution=size,
            kernel=kernel,
            activation=activation,
            separable=separable,
        )
    )


def bargain(
    measure: str = "MACs",
    *,
    show: str = SHOW[0],
    width: int = 100,
    size: int = NATURAL,
    kernel: int = 3,
    relu6: bool = False,
) -> Explorer:
    """Return the explorer of MobileNetV1 beside its twin of full convolutions.

    Controls: `measure` (a key of `MEASURES`), `show` (one of `SHOW`), `width` (the width
    multiplier in percent), `size` (the resolution in pixels), `kernel` (an odd number), `relu6`
    (in place of ReLU, in both networks).

    >>> print(bargain().readout)
    MobileNetV1, width x 1, resolution x 1: 568,740,352 MACs, 4,231,976 parameters
    Its twin of full convolutions: 4,867,293,184 MACs, 29,294,088 parameters
    MobileNet / twin: MACs 11.7 %, parameters 14.4 %
    """

    def view(measure: str, show: str, width: int, size: int, kernel: int, relu6: bool) -> View:
        activation = "relu6" if relu6 else "relu"
        chosen, twin = (_table(width, size, kernel, activation, one) for one in (True, False))
        if show == SHOW[0]:
            chart = pairs(chosen, twin, measure)
        elif show == SHOW[1]:
            chart = ratios(chosen, twin, measure, kernel)
        else:
            chart = savings(chosen, twin)
        # Memory is mentioned once it is looked at, so that the lesson keeps its surprise.
        shown = WORK if measure in WORK and show != SHOW[2] else tuple(MEASURES)
        settings = (
            f"width x {number(Fraction(width, 100))}, "
            f"resolution x {number(Fraction(size, NATURAL), 3)}"
        )
        return View((chart,), say(chosen, twin, settings, shown))

    return Explorer(
        "MobileNet's bargain",
        (
            Dropdown("measure", "measure", tuple((name, name) for name in MEASURES), measure),
            Slider("width", "width (%)", 10, 100, width, 5, "the width multiplier of all channels"),
            Dropdown("show", "show", tuple((text, text) for text in SHOW), show),
            Slider("size", "resolution (px)", 32, 320, size, 32, "height and width of the image"),
            Slider("kernel", "kernel K", 1, 11, kernel, 2, "of depthwise and full convolutions"),
            Checkbox("relu6", "ReLU6 in place of ReLU", relu6),
        ),
        view,
        help="MobileNetV1 against the network with the same maps that has a full K x K convolution "
        "in every block. Its first convolution and its classifier are the same in both, so they "
        "have no bars block by block. The resolution multiplier is the resolution divided by 224.",
    )


def say(chosen: Table, twin: Table, settings: str, measures: tuple[str, ...]) -> str:
    """Return MobileNet's sums, its twin's and the ratios in some measures, on a line each."""
    ours, full, shares = [], [], []
    for name in measures:
        how = MEASURES[name]
        counts = [sum(map(how.of, table.rows)) for table in (chosen, twin)]
        tail = f" {name}" if how.scale > 1 else ""
        ours.append(how.say(counts[0]) + tail)
        full.append(how.say(counts[1]) + tail)
        shares.append(f"{name} {percent(*counts)}")
    lines = {
        f"MobileNetV1, {settings}": ours,
        "Its twin of full convolutions": full,
        "MobileNet / twin": shares,
    }
    return "\n".join(f"{name}: {', '.join(parts)}" for name, parts in lines.items())


def blog_script(size: int = 160, *, separable: bool = True) -> Explorer:
    """Return the explorer of a blog's script beside the padding that MobileNet really has.

    Controls: `size` in pixels, `separable` (off: the twin of full convolutions).

    >>> print(blog_script().readout.splitlines()[0])
    At 160 px the script counts 126,373,376 MACs, real padding 289,651,200: the script has 43.6 %.
    """

    def view(size: int, separable: bool) -> View:
        table = _table(100, size, 3, "relu", separable)
        rows = [row for row in table.rows if row.kind in CONVOLUTION]
        layers = published.script_layers(size, separable)
        script, real = sum(macs for *_, macs in layers), sum(row.macs for row in rows)
        _, sides = published.script_macs(size, separable)
        maps = (size, *(row.output[0] for row in rows if part_of(row) != "pointwise"))
        chart = StackedBars(
            f"MACs of each convolution at {size} px",
            tuple(row.name for row in rows),
            (Series("with real padding", tuple(row.macs for row in rows)),),
            "MACs",
            category="convolution",
            adds_up=False,
            line=Series("as the script counts", tuple(macs for *_, macs in layers)),
        )
        return View(
            (chart,),
            f"At {size} px the script counts {script:,} MACs, real padding {real:,}: the script "
            f"has {percent(script, real)}.\nThe script's map sides: {_listed(sides)}.\n"
            f"The real ones: {_listed(maps)}.",
        )

    def _listed(sides: tuple[int, ...]) -> str:
        return ", ".join(map(str, sides))

    return Explorer(
        "The script and the padding",
        (
            Slider("size", "resolution (px)", 32, 320, size, 16, "height and width of the image"),
            Checkbox("separable", "separable convolutions", separable),
        ),
        view,
        help="The bars are the MACs of MobileNetV1 with its padding, which keeps the map's size "
        "in a convolution of stride 1. The marks are what a blog's script counts, which takes "
        "each map to be round((n - 2) / stride) wide.",
    )
