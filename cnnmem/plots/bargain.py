"""MobileNet's bargain as charts: separable convolutions beside full ones, block by block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from cnnmem.charts import Series, StackedBars
from cnnmem.count.table import Row, Table
from cnnmem.units import MB, memory

WIDTH = 4  # bytes of a float32 value
STEPS = ("depthwise", "pointwise")
REST = "first convolution and classifier"


@dataclass(frozen=True)
class Measure:
    """What to measure of a row, and the unit in which a chart shows it."""

    of: Callable[[Row], int]
    unit: str
    scale: int = 1

    def say(self, count: int) -> str:
        """Return a sum in words."""
        return memory(count) if self.scale > 1 else f"{count:,} {self.unit}"


def _kept(row: Row) -> int:
    """Return the bytes kept for backward of what this row made or saves only for itself.

    Unlike `Row.saved`, which counts a tensor at the first layer that saves it, this counts it at
    the layer that made it. PyTorch's pool indices are int64, its batch statistics float32.
    """
    values = row.kept_values + row.copies + row.masks
    return WIDTH * values + 8 * row.indices + 4 * row.batch_statistics


MEASURES = {
    "MACs": Measure(lambda row: row.macs, "MACs"),
    "parameters": Measure(lambda row: row.params, "parameters"),
    "feature maps": Measure(lambda row: WIDTH * row.values, "MB", MB.size),
    "kept for backward": Measure(_kept, "MB", MB.size),
}


def part_of(row: Row) -> str:
    """Return which half of a separable convolution a row belongs to; "" for neither.

    Normalisation and activation belong to the convolution before them: conv_dw_1_bn to conv_dw_1.
    """
    return {"conv_dw": "depthwise", "conv_pw": "pointwise"}.get(row.name[:7], "")


def by_block(table: Table, measure: str) -> dict[str, dict[str, int]]:
    """Return a measure by block and, within it, by part ("" for a full convolution).

    >>> from cnnmem.count.table import table_of
    >>> from cnnmem.model.zoo import mobilenet_v1
    >>> by_block(table_of(mobilenet_v1()), "MACs")["block7"]
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
    """Return the cost of a separable convolution as a share of a full one: 1/N + 1/K².

    Howard et al., "MobileNets" (2017), section 3.1.

    >>> rule(512, 3)
    Fraction(521, 4608)
    """
    return Fraction(1, channels_out) + Fraction(1, kernel**2)


def _ratios(chosen: Table, twin: Table, measure: str) -> dict[str, dict[str, Fraction]]:
    """Return each block's parts as percentages of the twin's block, to four decimals."""
    whole = by_block(twin, measure)
    return {
        block: {
            part: round(Fraction(100 * held, sum(whole[block].values())), 4)
            for part, held in parts.items()
        }
        for block, parts in by_block(chosen, measure).items()
    }


def pairs(chosen: Table, twin: Table, measure: str) -> StackedBars:
    """Return two bars for each block: the full convolution, and the two parts of the separable."""
    how, whole = MEASURES[measure], by_block(twin, measure)
    names, columns = [], []
    for i, (block, parts) in enumerate(by_block(chosen, measure).items(), 1):
        names += [f"{i} full", f"{i} separable"]
        columns += [(0, 0, whole[block][""]), (*(parts[step] for step in STEPS), 0)]
    values = zip((*STEPS, "full convolution"), zip(*columns, strict=True), strict=True)
    return StackedBars(
        f"{measure}, block by block",
        tuple(names),
        tuple(Series(*one) for one in values),
        how.unit,
        how.scale,
        base_unit="bytes" if how.scale > 1 else "",
        category="convolution",
        adds_up=False,
    )


def ratios(chosen: Table, twin: Table, measure: str, kernel: int) -> StackedBars:
    """Return each block as a percentage of its full convolution, and the rule 1/N + 1/K²."""
    found = _ratios(chosen, twin, measure)
    ends = {row.block: row.output[-1] for row in chosen.rows if row.block in found}
    return StackedBars(
        f"{measure} of each block",
        tuple(found),
        tuple(Series(step, tuple(parts[step] for parts in found.values())) for step in STEPS),
        "% of the full convolution",
        category="block",
        adds_up=False,
        line=Series("1/N + 1/K²", tuple(round(100 * rule(n, kernel), 4) for n in ends.values())),
    )


def savings(chosen: Table, twin: Table) -> StackedBars:
    """Return each measure of the whole network as a percentage of its full-convolution twin."""
    columns = []
    for how in MEASURES.values():
        whole = sum(map(how.of, twin.rows))
        sums = dict.fromkeys((*STEPS, ""), 0)
        for row in chosen.rows:
            sums[part_of(row)] += how.of(row)
        columns.append([round(Fraction(100 * held, whole), 4) for held in sums.values()])
    values = zip((*STEPS, REST), zip(*columns, strict=True), strict=True)
    return StackedBars(
        "MobileNet beside its twin of full convolutions",
        tuple(MEASURES),
        tuple(Series(*one) for one in values),
        "% of the twin",
        category="measure",
        adds_up=False,
        line=Series("the twin", (100,) * len(MEASURES)),
    )
