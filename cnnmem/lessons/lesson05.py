"""Lesson 05, two networks: parameters or feature maps that grow with the image."""

from __future__ import annotations

from fractions import Fraction

from cnnmem.count.summary import Summary, summary
from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.coding import Write
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import MILLION, PERCENT
from cnnmem.exercises.question import Question
from cnnmem.model import zoo
from cnnmem.model.layers import Concatenate
from cnnmem.units import percent

from .count import mib, n, table, total

LARGE = 1024


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (
        _recall(),
        _large(),
        _share(),
        _adaptive(),
        _head(),
        _concat(),
        _missing(),
        _statistics(),
    )


def _headed(head: str) -> Summary:
    """Return VGG-16 with another classifier, at 1024 pixels."""
    return summary(zoo.vgg16_with(head), (LARGE, LARGE, 3))


def _recall() -> Choice:
    small, large = table("vgg16")["conv3_1"], table("vgg16", 448)["conv3_1"]
    return Choice(
        id="05-recall-size",
        title="Twice the side",
        recalls="02",
        statement="A convolution is used on an image of twice the height and twice the width. Which of its numbers stays as it is?",
        options=(
            Option(
                "the values of its output",
                hint=f"Each side doubles: {n(small.values)} values become {n(large.values)} in `conv3_1` of VGG-16.",
            ),
            Option(
                "its MACs",
                hint=f"It works at every place, and there are four times as many: {n(small.macs)} become {n(large.macs)}.",
            ),
            Option("its parameters"),
            Option(
                "none of them",
                hint="The same small filter is moved over the map. Does it get more weights when the map is larger?",
            ),
        ),
        hints=(
            "What does a convolution store, and what does it make?",
            "The filter has kernel x kernel x input channels weights.",
            "No height or width of the map is in C_out x (K x K x C_in + 1).",
        ),
        why=f"`conv3_1` has {n(small.params)} parameters on any map. Its output and its work grow with the area.",
    )


def _large() -> Number:
    small, large = table("vgg16"), table("vgg16", LARGE)
    area = Fraction(LARGE, 224) ** 2
    return Number(
        id="05-large",
        title="VGG-16 for a large image",
        recalls="04",
        statement=(
            "VGG-16 has 138 million parameters at 224 x 224. Its first linear layer reads the whole last map, which is 32 times smaller than the image in height and width. "
            "How many parameters has VGG-16 at 1024 x 1024?"
        ),
        value=large.params,
        scale=MILLION,
        slack=Fraction(1, 2000),  # the hints round
        slips=(
            Slip(
                name="as at 224",
                answer=small.params,
                hint="That is VGG-16 at 224. One layer's parameters depend on the size of the map: which?",
            ),
            Slip(
                name="everything grows",
                answer=small.params * area,
                hint="You let all parameters grow with the area. Convolutions do not; only the first linear layer does.",
            ),
            Slip(
                name="grows with the side",
                answer=small.params * Fraction(LARGE, 224),
                hint="A map of 4.6 times the side has 21 times as many places, and each of them has its weights.",
            ),
            Slip(
                name="fc1 only",
                answer=large["fc1"].params,
                hint="That is fc1 alone. The other layers keep what they had at 224.",
            ),
        ),
        hints=(
            "Which layers do not mind the size of the image?",
            "The last map is 32 x 32 x 512 now, and fc1 connects each of its values with 4,096.",
            "32 · 32 · 512 · 4,096, and about 36 million of all other layers.",
        ),
        why=f"fc1 alone has {n(large['fc1'].weights)} weights, exactly 2^31, and as many biases as before: what lesson 04 was about.",
    )


def _share() -> Number:
    small, large = table("densenet201"), table("densenet201", LARGE)

    def share(of: Summary) -> Fraction:
        return total(of, "keras-parameters-mib") / total(of, "keras-memory")

    vgg = table("vgg16", LARGE, variant="keras")
    return Number(
        id="05-share",
        reveals=(
            "1.2 %",
            "98.8 %",
            "next to nothing but feature maps",
        ),
        title="The other network",
        statement=(
            f"DenseNet-201 has 20 million parameters. At 224 x 224 they are {percent(share(small), 1)} of its memory, the outputs of its layers the rest. "
            "Which share are they at 1024 x 1024? Answer in percent."
        ),
        value=share(large),
        scale=PERCENT,
        tolerance=Fraction(1, 5),
        slack=Fraction(1, 5),  # it can be estimated from the rounded numbers of the hints
        slips=(
            Slip(
                name="as at 224",
                answer=share(small),
                hint="That is its share at 224. Its parameters stay, its feature maps do not.",
            ),
            Slip(
                name="VGG-16's share",
                answer=share(vgg),
                hint="That is the share of VGG-16, whose parameters grow with the image.",
            ),
            Slip(
                name="the maps' share",
                answer=1 - share(large),
                hint="That is the share of the feature maps. The parameters have the rest.",
            ),
            Slip(
                name="grown with the side",
                answer=share(small) * Fraction(224, LARGE),
                hint="The side grows 4.6 times, but a map has two sides.",
            ),
        ),
        hints=(
            "What happens to its parameters, what to its feature maps?",
            "It ends in a global average pool: no layer of it minds the size of the image.",
            "The maps grow about 21 times: compare 1 to 3.8 with 1 to 21 x 3.8.",
        ),
        why=f"{mib(total(large, 'keras-parameters-mib'))} of parameters beside {mib(total(large, 'keras-outputs'))} of feature maps.",
    )


def _adaptive() -> Choice:
    linear, adaptive, pooled = (_headed(head).params for head in ("linear", "adaptive", "global"))
    return Choice(
        id="05-adaptive",
        title="torchvision's VGG-16",
        statement="torchvision averages the last map to 7 x 7 before the first linear layer, whatever the size of the image. What happens to its VGG-16's 138 million parameters when the image grows from 224 to 1024 pixels?",
        reveals=("million at any size", "averages any map", "138 million at 1024"),
        options=(
            Option(
                "They become two billion, as in Keras' VGG-16.",
                hint=f"That is VGG-16 without the adaptive pool, {n(linear)}: there fc1 reads 32 x 32 x 512 values.",
            ),
            Option("They stay as they are."),
            Option(
                "They shrink to 15 million.",
                hint=f"That is a global average pool with one linear layer behind it, {n(pooled)}. Here a 7 x 7 map is left, and all three linear layers.",
            ),
            Option(
                "They grow 4.6 times, with the side.",
                hint="Not one layer behind the pool sees how large the image was.",
            ),
        ),
        hints=(
            "How many values does fc1 read now?",
            "7 x 7 x 512, as at 224 pixels.",
            "So it is VGG-16 as everybody knows it.",
        ),
        why=f"{n(adaptive)} at any size. The pool makes every image look like one of 224 to the linear layers; they keep their 124 million parameters, now on averages.",
    )


def _head() -> Choice:
    pooled, one = _headed("global"), _headed("conv1x1")
    return Choice(
        id="05-head",
        reveals=("15,360,000",),
        title="Two ways to end",
        statement=(
            "A network can average its last map of 512 channels and then have a linear layer to 1,000 classes; "
            "or it can have a 1 x 1 convolution to 1,000 channels first and average after it. What differs?"
        ),
        options=(
            Option(
                "the parameters",
                hint=f"Both have 512 x 1,000 weights and 1,000 biases: {n(pooled['predictions'].params)}.",
            ),
            Option("the MACs and the feature maps"),
            Option(
                "nothing: it is the same layer under two names",
                hint=f"The weights are the same, but used at one place ({n(pooled['predictions'].macs)} MACs) or at every place of the map ({n(one['predictions'].macs)}).",
            ),
            Option(
                "the answers: only one of them sees the whole map",
                hint="Both average over the whole map. Without a ReLU between them, averaging and a linear map can change places.",
            ),
        ),
        hints=(
            "Count the weights of both.",
            "At how many places is each of them used?",
            "A linear layer behind the average works on one vector, the 1 x 1 convolution on 32 x 32 of them.",
        ),
        why=(
            f"{n(pooled['predictions'].macs)} or {n(one['predictions'].macs)} MACs, "
            f"and a map of {n(one['predictions'].values)} values where the other has {n(pooled['predictions'].values)}. "
            "The second can say where in the image a class was seen."
        ),
    )


def _concat() -> Write:
    def reference(side: int, channels: int, growth: int, layers: int) -> int:
        values, shape = 0, (side, side, channels)
        for _ in range(layers):
            shape = Concatenate().output_shape(shape, (side, side, growth))  # type: ignore[assignment]
            values += shape[0] * shape[1] * shape[2]
        return values

    head = "def concat_values(side, channels, growth, layers):\n"

    def body(term: str, span: str = "range(1, layers + 1)") -> str:
        return f"{head}    return sum({term} for i in {span})\n"

    return Write(
        id="05-concat",
        title="The price of concatenation",
        statement=(
            "In a dense block every layer makes `growth` new channels, and its output is a new tensor with the old channels and the new ones, side by side. "
            "The block begins with a map of `side` x `side` and `channels` channels. Write a function that counts the values of all these outputs together."
        ),
        name="concat_values",
        starter=head
        + '    """Return the values of all concatenations of a dense block."""\n    ...\n',
        fixed=body("side * side * (channels + growth * i)"),
        reference=reference,
        inputs=((56, 64, 32, 6), (28, 128, 32, 12), (14, 256, 32, 48), (1, 3, 5, 1), (7, 10, 4, 2)),
        slips=(
            Slip(
                name="new channels only",
                answer=body("side * side * growth"),
                hint="You count what is new. A concatenation copies the old channels as well: that is its price.",
            ),
            Slip(
                name="the last one only",
                answer=head + "    return side * side * (channels + growth * layers)\n",
                hint="That is the last output. Every layer of the block has made one.",
            ),
            Slip(
                name="one step behind",
                answer=body("side * side * (channels + growth * i)", "range(layers)"),
                hint="That is what the layers read. The first output already has `growth` channels more.",
            ),
            Slip(
                name="one side",
                answer=body("side * (channels + growth * i)"),
                hint="A map has height and width: side x side places.",
            ),
            Slip(
                name="growth squared",
                answer=body("side * side * (channels + growth ** i)"),
                hint="The channels grow by the same number at each layer: add, do not take powers.",
            ),
        ),
        hints=(
            "How many channels has the output of the first layer? Of the second?",
            "Layer i, counted from 1, gives channels + growth * i of them.",
            "Add up side * side * (channels + growth * i) for i from 1 to layers.",
        ),
        why="The sum grows with the square of the number of layers: a block of 48 copies its first channels 48 times.",
    )


def _missing() -> Choice:
    new = table("densenet201", LARGE)
    old = table("densenet201", LARGE, variant="keras2018")
    gap = total(new, "keras-outputs") - total(old, "keras-outputs")

    def no(name: str, what: str) -> Option:
        return Option(
            what, hint=f"Its output is {mib(4 * new[name].outputs)}; {mib(gap)} are missing."
        )

    return Choice(
        id="05-missing",
        reveals=(
            "relu only in the second",
            "had no ReLU after",
            "last ReLU was",
        ),
        title="A layer is missing",
        statement=(
            f"A script of 2018 and today's Keras disagree by {mib(gap)} about the outputs of DenseNet-201's layers at 1024 x 1024. The parameters agree. "
            "Which layer was missing in 2018?"
        ),
        options=(
            no("conv1_relu", "the first ReLU, of 512 x 512 x 64"),
            no("input", "the image, of 1024 x 1024 x 3"),
            Option("the last ReLU, of 32 x 32 x 1920"),
            Option(
                "the last batch normalisation, of 32 x 32 x 1920",
                hint=f"Its output would have the right size, but it has {n(new['bn'].params + new['bn'].statistics)} parameters, and those agree.",
            ),
            no("avg_pool", "the global average pool, of 1920 values"),
        ),
        hints=(
            f"{mib(gap)} are how many float32 values?",
            f"{n(gap / 4)} values. Which output has that many?",
            "32 x 32 x 1920; and it has no parameters.",
        ),
        why="keras-applications 1.0.4 had no ReLU after the last normalisation, 1.0.6 has one.",
    )


def _statistics() -> Choice:
    dense = table("densenet201")
    norms = [row for row in dense.rows if row.kind == "batch_norm"]
    channels = sum(row.output[-1] for row in norms)
    return Choice(
        id="05-statistics",
        reveals=("running statistics counted",),
        title="Two parameter counts",
        recalls="01",
        statement=f"PyTorch says that DenseNet-201 has {n(dense.params)} parameters, Keras says {n(dense.params + dense.statistics)}. Where does the difference come from?",
        options=(
            Option("Keras counts the moving mean and variance of every batch normalisation."),
            Option(
                "Keras' convolutions have biases.",
                hint="Neither framework's DenseNet has biases in its convolutions: a normalisation follows each of them.",
            ),
            Option(
                "The classifiers differ.", hint="Both end in 1920 x 1000 weights and 1000 biases."
            ),
            Option("Keras has the last ReLU, PyTorch has not.", hint="A ReLU has no parameters."),
        ),
        hints=(
            "Which kind of layer stores numbers that are not learned?",
            f"The {len(norms)} normalisations have {n(channels)} channels together.",
            f"Two numbers a channel: {n(dense.statistics)}.",
        ),
        why=(
            f"{len(norms)} normalisations with {n(channels)} channels together, and a moving mean and a moving variance for each: {n(dense.statistics)}. "
            "Keras lists them as non-trainable parameters, PyTorch keeps them as buffers."
        ),
    )
