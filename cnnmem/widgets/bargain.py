"""The explorers of MobileNet's bargain: separable convolutions beside full ones, block by block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from cnnmem import published
from cnnmem.charts import Series, StackedBars
from cnnmem.count.conventions import CONVOLUTION
from cnnmem.count.table import Row, Summary, summary
from cnnmem.model.zoo import mobilenet_v1
from cnnmem.units import MB, memory, number, percent

from .controls import Choice, Number, Switch
from .explorer import Explorer, View

WIDTH = 4  # bytes of a float32 value
NATURAL = 224  # pixels at resolution multiplier 1
STEPS = ("depthwise", "pointwise")
REST = "first convolution and classifier"


@dataclass(frozen=True)
class Measure:
    """What is measured of a row, the unit of a chart, and how a sum is said."""

    of: Callable[[Row], int]
    unit: str
    scale: int = 1

    def say(self, count: int) -> str:
        """Return a sum in words."""
        return memory(count) if self.scale > 1 else f"{count:,} {self.unit}"


def _kept(row: Row) -> int:
    """Return the bytes that backward keeps of what this row made, or wants for itself."""
    values = row.kept_values + row.copies + row.masks
    return WIDTH * values + 8 * row.indices + 4 * row.batch_statistics


MEASURES = {
    "MACs": Measure(lambda row: row.macs, "MACs"),
    "parameters": Measure(lambda row: row.params, "parameters"),
    "feature maps": Measure(lambda row: WIDTH * row.values, "MB", MB.size),
    "kept for backward": Measure(_kept, "MB", MB.size),
}
WORK = ("MACs", "parameters")
SHOW = ("block beside block", "the ratio, with the rule", "all savings")


@lru_cache(maxsize=16)
def _table(width: int, size: int, kernel: int, activation: str, separable: bool) -> Summary:
    return summary(
        mobilenet_v1(
            width=width / 100,
            resolution=size,
            kernel=kernel,
            activation=activation,
            separable=separable,
        )
    )


def part_of(row: Row) -> str:
    """Return which half of a separable convolution a row belongs to; "" for none.

    A normalisation and an activation belong to the convolution before them.
    """
    return {"conv_dw": "depthwise", "conv_pw": "pointwise"}.get(row.name[:7], "")


def by_block(table: Summary, measure: str) -> dict[str, dict[str, int]]:
    """Return a measure by block and, within it, by part ("" where the convolution is a full one).

    >>> by_block(summary(mobilenet_v1()), "MACs")["block7"]
    {'depthwise': 903168, 'pointwise': 51380224}
    """
    of = MEASURES[measure].of
    sums: dict[str, dict[str, int]] = {}
    for row in table.rows:
        block = sums.setdefault(row.block, {})
        part = part_of(row)
        block[part] = block.get(part, 0) + of(row)
    return {block: parts for block, parts in sums.items() if block.startswith("block")}


def rule(channels_out: int, kernel: int) -> Fraction:
    """Return what a separable convolution costs of a full one: 1/N + 1/K².

    >>> rule(512, 3)
    Fraction(521, 4608)
    """
    return Fraction(1, channels_out) + Fraction(1, kernel**2)


def _ratios(chosen: Summary, twin: Summary, measure: str) -> dict[str, dict[str, Fraction]]:
    """Return each block's parts in percent of the twin's block, to four decimals."""
    whole = by_block(twin, measure)
    return {
        block: {
            part: round(Fraction(100 * held, sum(whole[block].values())), 4)
            for part, held in parts.items()
        }
        for block, parts in by_block(chosen, measure).items()
    }


def pairs(chosen: Summary, twin: Summary, measure: str) -> StackedBars:
    """Return two bars a block: the full convolution, and the separable one in its two parts."""
    how, whole = MEASURES[measure], by_block(twin, measure)
    names, columns = [], []
    for i, (block, parts) in enumerate(by_block(chosen, measure).items(), 1):
        names += [f"{i} full", f"{i} separable"]
        columns += [(0, 0, whole[block][""]), (*(parts[step] for step in STEPS), 0)]
    values = zip((*STEPS, "full convolution"), zip(*columns, strict=True), strict=True)
    return StackedBars(
        f"{measure}, block by block", tuple(names), tuple(Series(*one) for one in values),
        how.unit, how.scale, base_unit="bytes" if how.scale > 1 else "", adds_up=False,
        category="convolution",
    )  # fmt: skip


def ratios(chosen: Summary, twin: Summary, measure: str, kernel: int) -> StackedBars:
    """Return each block in percent of its full convolution, and the rule 1/N + 1/K²."""
    found = _ratios(chosen, twin, measure)
    ends = {row.block: row.output[-1] for row in chosen.rows if row.block in found}
    return StackedBars(
        f"{measure} of each block", tuple(found),
        tuple(Series(step, tuple(parts[step] for parts in found.values())) for step in STEPS),
        "% of the full convolution", adds_up=False, category="block",
        line=Series(
            "1/N + 1/K²", tuple(round(100 * rule(n, kernel), 4) for n in ends.values())
        ),
    )  # fmt: skip


def savings(chosen: Summary, twin: Summary) -> StackedBars:
    """Return every measure of the whole network in percent of its full-convolution twin."""
    columns = []
    for how in MEASURES.values():
        whole = sum(map(how.of, twin.rows))
        sums = dict.fromkeys((*STEPS, ""), 0)
        for row in chosen.rows:
            sums[part_of(row)] += how.of(row)
        columns.append([round(Fraction(100 * held, whole), 4) for held in sums.values()])
    values = zip((*STEPS, REST), zip(*columns, strict=True), strict=True)
    return StackedBars(
        "MobileNet beside its twin of full convolutions", tuple(MEASURES),
        tuple(Series(*one) for one in values), "% of the twin", adds_up=False,
        category="measure", line=Series("the twin", (100,) * len(MEASURES)),
    )  # fmt: skip


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
        # memory is told where it is looked at: until then the lesson keeps its surprise
        told = WORK if measure in WORK and show != SHOW[2] else tuple(MEASURES)
        settings = (
            f"width x {number(Fraction(width, 100))}, "
            f"resolution x {number(Fraction(size, NATURAL), 3)}"
        )
        return View((chart,), say(chosen, twin, settings, told))

    return Explorer(
        "MobileNet's bargain",
        (
            Choice("measure", "measure", tuple((name, name) for name in MEASURES), measure),
            Number("width", "width (%)", 10, 100, width, 5,
                   "the width multiplier: it scales the channels of every layer"),
            Choice("show", "show", tuple((text, text) for text in SHOW), show),
            Number("size", "resolution (px)", 32, 320, size, 32, "height and width of the image"),
            Number("kernel", "kernel K", 1, 11, kernel, 2, "of depthwise and full convolutions"),
            Switch("relu6", "ReLU6 in place of ReLU", relu6),
        ),
        view,
        help="MobileNetV1 against the network with the same maps that has a full K x K convolution "
        "in every block. Its first convolution and its classifier are the same in both, so they "
        "have no bars block by block. The resolution multiplier is the resolution divided by 224.",
    )  # fmt: skip


def say(chosen: Summary, twin: Summary, settings: str, measures: tuple[str, ...]) -> str:
    """Return MobileNet's sums, its twin's and the savings in some measures, a line each."""
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
    """Return the explorer of a blog's script beside the padding that MobileNet really uses.

    Controls: `size` in pixels, `separable` (the twin of full convolutions without it).

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
            f"MACs of each convolution at {size} px", tuple(row.name for row in rows),
            (Series("with real padding", tuple(row.macs for row in rows)),), "MACs",
            category="convolution", adds_up=False,
            line=Series("as the script counts", tuple(macs for *_, macs in layers)),
        )  # fmt: skip
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
            Number("size", "resolution (px)", 32, 320, size, 16, "height and width of the image"),
            Switch("separable", "separable convolutions", separable),
        ),
        view,
        help="The bars are the MACs of MobileNetV1 with its padding, by which a convolution of "
        "stride 1 keeps the map's size. The marks are what the script of a blog counts, which "
        "takes each map to be round((n - 2) / stride) wide.",
    )  # fmt: skip
