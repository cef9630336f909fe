"""Lesson 03, 93 MB or 60 MB?: totals and their conventions."""

from __future__ import annotations

import math
from fractions import Fraction

from cnnmem import published
from cnnmem.count.totals import show
from cnnmem.count.training import inference
from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.ordering import Item, Order, ordered
from cnnmem.exercises.quantity import MB, PERCENT
from cnnmem.exercises.question import Question
from cnnmem.units import percent

from .count import mb, mib, misread, n, table, total


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (
        _recall_work(),
        _first(),
        _torchinfo(),
        _verdict(),
        _inference(),
        _kept(),
        _recall(),
        _order(),
    )


def _recall_work() -> Number:
    vgg = table("vgg16")
    fc1 = vgg["fc1"]
    linear = sum(row.macs for row in vgg.rows if row.kind == "linear")
    return Number(
        id="03-recall-work",
        title="Stored and done",
        recalls="02",
        statement=f"fc1 holds {percent(fc1.params, vgg.params)} of VGG-16's parameters. Which share of the MACs does it do? Answer in percent.",
        value=Fraction(fc1.macs, vgg.macs),
        scale=PERCENT,
        tolerance=Fraction(1, 10),
        slips=(
            Slip(
                name="share of the parameters",
                answer=Fraction(fc1.params, vgg.params),
                hint="That is its share of the parameters. Each of them is used once an image; a convolution uses its weights at every place.",
            ),
            Slip(
                name="all linear layers",
                answer=Fraction(linear, vgg.macs),
                hint="That is fc1, fc2 and fc3 together.",
            ),
            Slip(
                name="the convolutions' share",
                answer=1 - Fraction(fc1.macs, vgg.macs),
                hint="That is what all other layers do.",
            ),
        ),
        hints=(
            "fc1 uses each of its weights once an image.",
            f"It does {n(fc1.macs)} of {n(vgg.macs)} MACs.",
            "About 103 million of 15,470 million.",
        ),
        why="Where a network stores and where it works are two different places. The feature maps of this lesson are a third one.",
    )


def _first() -> Number:
    vgg = table("vgg16")
    every = total(vgg, "tensors")
    block = 4 * (vgg["conv1_1"].values + vgg["conv1_2"].values)
    return Number(
        id="03-first",
        title="Before you look",
        statement="One image of 224 x 224 pixels goes through VGG-16. Add up the image and every feature map, each tensor once. Which share of that memory do the maps of the first two convolutions take, conv1_1 and conv1_2? Answer in percent.",
        value=Fraction(block, every),
        scale=PERCENT,
        reveals=("conv1_1 holds", "42 %"),
        tolerance=Fraction(1, 50),
        slips=(
            Slip(
                name="their share of the parameters",
                answer=Fraction(vgg["conv1_1"].params + vgg["conv1_2"].params, vgg.params),
                hint="That is their share of the parameters. A map of 224 x 224 x 64 is large, however few weights made it.",
            ),
            Slip(
                name="their share of the MACs",
                answer=Fraction(vgg["conv1_1"].macs + vgg["conv1_2"].macs, vgg.macs),
                hint="That is their share of the work.",
            ),
            Slip(
                name="one of the two",
                answer=Fraction(block, 2 * every),
                hint="That is one of the two maps.",
            ),
        ),
        hints=(
            "The largest maps are at the beginning: 224 x 224 x 64.",
            f"Each of the two maps has {n(vgg['conv1_1'].values)} values.",
            f"All together there are {n(vgg.values)}.",
        ),
        why=f"Two maps of {mb(block // 2)}, of {mb(every)} in all. The front of the network holds the maps, its end the parameters.",
    )


def _torchinfo() -> Choice:
    vgg = table("vgg16", variant="torchvision")

    def shown(convention: str) -> str:
        of = vgg.total(convention)
        return f"{show(of.value)} {of.unit}"

    return Choice(
        id="03-torchinfo",
        reveals=(
            "twice the outputs of the layers",
            "pools left out",
            'times 2 "for backward"',
        ),
        title="The tool that says 108",
        statement=f'torchinfo prints "Forward/backward pass size" {shown("torchinfo-memory")} for VGG-16 and one image. What does it count?',
        options=(
            Option(
                "Every tensor once, the image among them.", hint=f"That gives {shown('tensors')}."
            ),
            Option(
                "The outputs of all modules, ReLU and dropout among them.",
                hint=f"Close, but that is {shown('torchstat')}, what torchstat counts. Coming close explains nothing.",
            ),
            Option("Twice the outputs of the layers that have parameters."),
            Option(
                "What autograd keeps for the backward pass.",
                hint=f"That is {shown('autograd')} here. The tool's title promises it, but it does not measure it.",
            ),
            Option(
                "Twice the outputs of all modules.",
                hint=f"That is torchsummary's way: {shown('torchsummary')}.",
            ),
        ),
        hints=(
            'Try conventions in the explorer: show feature maps, change "counted as".',
            "The explorer's conventions carry the names of the tools.",
            "Two things make the number: which rows are counted, and a factor.",
        ),
        why='The outputs of convolutions and linear layers, pools left out, times 2 "for backward", in MB of 10^6 bytes.',
    )


def _inference() -> Number:
    vgg = table("vgg16")
    peak = inference(vgg).peak.activations
    one = 4 * vgg["conv1_2"].values
    every = total(vgg, "tensors")
    first = 4 * (vgg["input"].values + vgg["conv1_1"].values)
    return Number(
        id="03-inference",
        reveals=(
            "largest pair of neighbours",
            "conv1_2's input and output",
        ),
        title="At once",
        statement=(
            "Inference keeps nothing for backward: a tensor goes when its last reader is done. "
            "How many MB of feature maps must VGG-16 hold at the same moment, for one image?"
        ),
        value=peak,
        scale=MB,
        slips=(
            Slip(
                name="the sum over layers",
                answer=every,
                hint="That is the sum of all maps. They are not alive at the same time: when pool1 is done, the maps of block 1 can go.",
            ),
            Slip(
                name="one map only",
                answer=one,
                hint="That is one map. A layer reads one map while it writes another: both must be there.",
            ),
            Slip(
                name="the first pair",
                answer=first,
                hint="That is the image with the map of conv1_1. Look at the next layer, whose input and output are both large.",
            ),
            Slip(
                name="MiB for MB",
                answer=misread(peak),
                hint="That is the figure in MiB. In MB it is 4.9 % more.",
            ),
            Slip(
                name="kept for backward",
                answer=vgg.saved_bytes or 0,
                hint="That is what training keeps for the backward pass. Inference keeps nothing.",
            ),
        ),
        hints=(
            "A layer needs its input and its output, at the same time. Which layer's pair is largest?",
            "ReLUs work in place here; look at the convolutions of block 1.",
            f"conv1_2 reads and writes a map of {n(vgg['conv1_2'].values)} values.",
        ),
        why=(
            f"conv1_2's input and output. The famous sum, {mb(every)}, is more than twice as much: it is a sum over layers, not a need. "
            "A real kernel adds its own temporaries."
        ),
    )


def _kept() -> Number:
    vgg = table("vgg16")
    saved = vgg.saved_bytes or 0
    every = total(vgg, "tensors")
    indices = 8 * sum(row.indices for row in vgg.rows)
    return Number(
        id="03-kept",
        reveals=("73.25 MB",),
        title="What training keeps",
        statement="In training PyTorch keeps tensors for the backward pass. How many MB does it keep of VGG-16 for one image, parameters left out?",
        value=saved,
        scale=MB,
        slips=(
            Slip(
                name="x 2 for backward",
                answer=2 * every,
                hint="That is the old rule: twice the sum of all maps. Gradients of maps come and go in backward; they are not kept beside all maps.",
            ),
            Slip(
                name="the maps alone",
                answer=every,
                hint="These are the maps. More is kept: max pooling notes for each output where the maximum was, in 8 bytes.",
            ),
            Slip(
                name="MiB for MB",
                answer=misread(saved),
                hint="That is the figure in MiB. In MB it is 4.9 % more.",
            ),
            Slip(
                name="parameters too",
                answer=saved + 4 * vgg.params,
                hint="The parameters are in it. They are there anyway, once for all images; leave them out.",
            ),
        ),
        hints=(
            "The column `saved` of the table says it row by row.",
            "An in-place ReLU keeps its output, which is the same storage as the convolution's output.",
            f"The maps, and {mb(indices)} of pool indices, and what dropout keeps, but not the scores of the last layer.",
        ),
        why=f"Each stored tensor once, {mb(indices)} of int64 pool indices, and the dropout masks. Measured with autograd's own hooks it is the same to the byte.",
    )


def _order() -> Order:
    paper, torchvision = table("vgg16"), table("vgg16", variant="torchvision")
    peak, every = total(paper, "inference-peak"), total(paper, "tensors")
    kept, printed = total(paper, "autograd"), total(torchvision, "torchinfo-memory")
    return Order(
        id="03-order",
        reveals=(
            "| sum of all feature maps |",
            "25.69 MB <",
            "the ladder",
        ),
        title="Four totals of one network",
        statement="All four are said of the feature maps of VGG-16 for one image. Put them in order, the smallest first.",
        items=(
            Item("what training keeps for the backward pass", kept),
            Item("the sum of all maps, each once", every),
            Item("what torchinfo prints", printed),
            Item("what inference needs at the same moment", peak),
        ),
        slips=(
            Slip(
                name="inference holds the sum",
                answer=ordered([kept, peak, printed, every]),
                hint="Inference never holds the sum: a map goes when its last reader is done. It needs the largest pair.",
            ),
            Slip(
                name="kept and printed swapped",
                answer=ordered([printed, every, kept, peak]),
                hint="You believed the tool: it prints twice the outputs, and autograd keeps less than that.",
            ),
            Slip(
                name="training keeps the sum's part",
                answer=ordered([every, kept, printed, peak]),
                hint="Training keeps nearly every map, and the indices of the pools besides: more than the sum.",
            ),
            Slip(
                name="largest first",
                answer=ordered([-kept, -every, -printed, -peak]),
                hint="That is the right order from the other end: the smallest comes first.",
            ),
        ),
        hints=(
            "Which is a sum over layers, which a maximum over time?",
            "The maximum over time is the smallest. Then ask what is added to the sum.",
            f"{mb(peak)} is a pair of maps, {mb(every)} the sum; pool indices make {mb(kept)}.",
        ),
        why=f"{mb(peak)} < {mb(every)} < {mb(kept)} < {mb(printed)}: one network, one image, four answers to four questions.",
    )


def _verdict() -> Choice:
    claim = published.get("cs231n-93")
    values = published.get("cs231n-24m").value
    vgg13 = table("vgg13")
    maps = [row for row in vgg13.rows if len(row.output) == 3]  # the linear layers make vectors
    near = sum(row.outputs for row in maps if row.kind in ("conv", "relu"))
    every = total(table("vgg16"), "tensors")
    return Choice(
        id="03-verdict",
        reveals=(
            "unexplained",
            "no explanation",
            "no convention gives",
            "nobody has found",
        ),
        title="A verdict",
        statement='The CS231n notes say: "24M * 4 bytes ~= 93MB / image". What is the verdict?',
        options=(
            Option(
                "It is right, in MiB.",
                hint=f"24 million times 4 bytes are {mib(values * 4)}, not 93. And the 24 million are the larger problem.",
            ),
            Option(
                f"It is VGG-13: its convolutions and the ReLUs behind them put out {n(near)} values.",
                hint=f"That gives {mib(4 * near)}, near 93. But nothing says that anybody counted VGG-13 so: coming close explains nothing.",
            ),
            Option(
                "It counts the backward pass too.", hint=f"Twice the maps would be {mb(2 * every)}."
            ),
            Option("It is unexplained: no natural way to count VGG-16 gives 24 million."),
        ),
        hints=(
            "An explanation must give the number exactly, by a rule that somebody could have used.",
            "With a thousand rules to choose from, some come close by chance.",
            'Look the number up: `cnnmem.published.get("cs231n-93")`.',
        ),
        why=(
            f'"{claim.verdict.capitalize()}" is a result too. '
            "The other numbers of this lesson come out to the last digit by a rule that somebody has written down or programmed; "
            "this one does not, and a rule that comes close is a rule for another number. "
            "An error of unknown origin may stay one; inventing a reason would make new folklore."
        ),
    )


def _recall() -> Number:
    one, eight = table("vgg16"), table("vgg16", batch=8)
    params = 4 * one.params
    size = total(eight, "tensors")
    return Number(
        id="03-recall-batch",
        title="Eight images",
        recalls="02",
        statement=f"One image: {mb(params)} of parameters and {mb(total(one, 'tensors'))} of feature maps. How many MB are parameters and feature maps together for a batch of 8?",
        value=params + size,
        scale=MB,
        slips=(
            Slip(
                name="parameters x 8",
                answer=8 * params + size,
                hint="The parameters are stored once, whatever the batch. Only the maps are there for every image.",
            ),
            Slip(
                name="batch ignored",
                answer=params + total(one, "tensors"),
                hint="Each of the 8 images has feature maps of its own.",
            ),
            Slip(
                name="parameters left out",
                answer=size,
                hint="These are the maps. The parameters are missing.",
            ),
        ),
        hints=(
            "Which of the two belongs to the network, which to the images?",
            "Parameters once, feature maps eight times.",
            f"{mb(params)} + 8 x {mb(total(one, 'tensors'))}.",
        ),
        why=(
            "Parameters belong to the network, feature maps to the images: "
            f"from a batch of {math.ceil(params / total(one, 'tensors'))} on the maps of VGG-16 are the larger part."
        ),
    )
