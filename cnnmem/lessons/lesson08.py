"""Lesson 08, audit a counter: planted bugs, and why nine tools give nine counts."""

from __future__ import annotations

from fractions import Fraction

from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.coding import Bug
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import FLOPS, MB, VALUES
from cnnmem.exercises.question import Question
from cnnmem.model.layers import Conv2d
from cnnmem.units import MiB

from .count import drawn, mb, mib, n, table, total


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (_nine(), _flops(), _twice(), _c_in(), _relu(), _batch_norm(), _recall())


def _nine() -> Choice:
    resnet = table("resnet18")
    low, high = total(resnet, "macs"), total(resnet, "ptflops-pytorch")
    return Choice(
        id="08-nine",
        reveals=(
            "beside them",
            "counts *beside* it",
        ),
        title="Nine tools, nine counts",
        statement=f"For one ResNet-18 and one image, tools print from {n(low)} to {n(high)} MACs, and one prints twice as much. Why?",
        options=(
            Option(
                "They measure, and every run differs.",
                hint="None of them measures: they add up what the layers should do. The same run gives the same number.",
            ),
            Option(
                "The larger numbers are wrong.",
                hint="Only one of them has a bug. The others count what they say, but they say it differently.",
            ),
            Option(
                "They count different things: biases, normalisation, pools, ReLUs, and one of them FLOPs."
            ),
            Option(
                "Some count the backward pass, too.",
                hint="That would be about three times as much.",
            ),
        ),
        hints=(
            "All agree on the convolutions and the linear layer.",
            "What is a batch normalisation worth: nothing, 1, 2 or 4 operations a value?",
            "Reconcile two of them in the explorer: the steps have names.",
        ),
        why=(
            f"The difference is {n(high - low)} at most, {float((high - low) / low):.1%} of the count, and every part of it has a name. "
            "A count without its convention is no number."
        ),
    )


def _flops() -> Number:
    resnet = table("resnet18")
    value = total(resnet, "flops")
    return Number(
        id="08-flops",
        title="MACs and FLOPs",
        statement=f"ResNet-18 needs {n(resnet.macs)} MACs for an image. What does PyTorch's FlopCounterMode print, which counts floating-point operations?",
        value=value,
        scale=FLOPS,
        slips=(
            Slip(
                name="MACs for FLOPs",
                answer=resnet.macs,
                hint="Those are MACs. A MAC is a multiplication and an addition, two operations.",
            ),
            Slip(name="four for one", answer=2 * value, hint="A MAC is two operations, not four."),
            Slip(
                name="forward and backward",
                answer=3 * value,
                hint="That would be with a backward pass, roughly. One image goes forward.",
            ),
        ),
        hints=(
            "MAC means multiply-accumulate.",
            "How many floating-point operations is one MAC?",
            f"2 x {n(resnet.macs)}.",
        ),
        why="FLOPs are 2 x MACs. Several tools print MACs and call them FLOPs: always ask.",
    )


def _layers(id: str) -> tuple[tuple[tuple[tuple[int, int, int], ...]], ...]:
    random = drawn(id)

    def layer() -> tuple[int, int, int]:
        return random.randint(1, 200), random.randint(1, 200), random.choice((1, 3, 5))

    return tuple((tuple(layer() for _ in range(random.randint(1, 6))),) for _ in range(12))


def _twice() -> Bug:
    def source(added: str) -> str:
        return (
            "def count_params(layers):\n"
            "    total = 0\n"
            "    for c_in, c_out, kernel in layers:\n"
            "        weights = kernel * kernel * c_in * c_out\n"
            "        biases = c_out\n"
            "        for tensor in (weights, biases):\n"
            f"            total += {added}\n"
            "    return total\n"
        )

    def reference(layers: tuple[tuple[int, int, int], ...]) -> int:
        return sum(
            Conv2d(c_out, kernel).weights((9, 9, c_in)) + c_out for c_in, c_out, kernel in layers
        )

    return Bug(
        id="08-twice",
        title="Planted bug: twice too many",
        statement="This counter of convolution parameters prints twice the true number. Find the line, or repair the function.",
        name="count_params",
        starter=source("weights + biases"),
        fixed=source("tensor"),
        reference=reference,
        inputs=_layers("08-twice"),
        line=7,
        others=(
            (2, "The sum begins at 0, as it should."),
            (3, "Each layer is visited once."),
            (4, "K · K · C_in · C_out: these are the weights."),
            (5, "One bias for each filter: right."),
            (
                6,
                "Two tensors, weights and biases, are visited: that is fine. What is added for each?",
            ),
        ),
        slips=(
            Slip(
                name="biases lost",
                answer=source("weights // 2"),
                hint="Now the biases are missing.",
            ),
            Slip(
                name="one kind only",
                answer=source("weights"),
                hint="Now the weights are added twice, and the biases not at all.",
            ),
        ),
        hints=(
            "Follow one layer through the function, with numbers.",
            "How often is each of the two tensors added?",
            "The inner loop runs twice. What should it add each time?",
        ),
        why="The inner loop visits weights and biases, and adds both each time: everything counts twice. It must add `tensor`.",
    )


def _c_in() -> Bug:
    def source(products: str, result: str = "outputs * (multiplications + additions)") -> str:
        return (
            "def conv_operations(c_in, c_out, kernel, height, width):\n"
            f"    multiplications = {products}\n"
            "    additions = multiplications - 1\n"
            "    outputs = c_out * height * width\n"
            f"    return {result}\n"
        )

    def reference(c_in: int, c_out: int, kernel: int, height: int, width: int) -> int:
        out = (height, width, c_out)
        return 2 * Conv2d(c_out, kernel).macs(out, (height, width, c_in)) - c_out * height * width

    random = drawn("08-c-in")
    return Bug(
        id="08-c-in",
        title="Planted bug: too few",
        statement=(
            "This counter adds up the multiplications and additions of a convolution without biases. It prints far too little. "
            "Find the line, or repair the function."
        ),
        name="conv_operations",
        starter=source("kernel * kernel"),
        fixed=source("kernel * kernel * c_in"),
        reference=reference,
        inputs=tuple(
            (
                random.randint(2, 99),
                random.randint(1, 99),
                random.choice((1, 3, 5)),
                random.randint(1, 60),
                random.randint(1, 60),
            )
            for _ in range(12)
        ),
        line=2,
        others=(
            (3, "To add up N products takes N − 1 additions: right, if N is right."),
            (4, "A value for each filter and each place: right."),
            (5, "Each output value costs the same: right, if the cost of one is right."),
        ),
        slips=(
            Slip(
                name="channels at the end",
                answer=source("kernel * kernel", "outputs * c_in * (multiplications + additions)"),
                hint="Nearly: the sums of the channels have to be added to each other as well. Repair it where the products are counted.",
            ),
            Slip(
                name="filters twice",
                answer=source("kernel * kernel * c_out"),
                hint="The filters are in `outputs` already. What else does one output value go over?",
            ),
        ),
        hints=(
            "Is there an argument that the function never uses?",
            "What does one output value of a convolution sum over?",
            "Over kernel x kernel places and all input channels.",
        ),
        why="One output value sums over kernel x kernel x c_in products. With c_in forgotten, a layer of 512 channels is counted 512 times too cheap.",
    )


def _relu() -> Bug:
    def source(functions: str, modules: str = '{"batch_norm": 2, "relu": 1}') -> str:
        return (
            "def count_operations(rows):\n"
            "    total = 0\n"
            "    for kind, macs, outputs in rows:\n"
            "        total += macs\n"
            f"        modules = {modules}\n"
            f"        functions = {functions}\n"
            "        total += modules.get(kind, 0) * outputs\n"
            "        total += functions.get(kind, 0) * outputs\n"
            "    return total\n"
        )

    def reference(rows: tuple[tuple[str, int, int], ...]) -> int:
        times = {"batch_norm": 2, "relu": 1, "functional relu": 1}
        return sum(macs + times.get(kind, 0) * outputs for kind, macs, outputs in rows)

    random = drawn("08-relu")
    kinds = ("conv", "batch_norm", "relu", "functional relu", "add")
    resnet = table("resnet18")
    modules = sum(row.outputs for row in resnet.rows if row.kind == "relu")
    return Bug(
        id="08-relu",
        title="Planted bug: ReLU",
        statement=(
            "This counter follows a convention: MACs, two operations for each value of a batch normalisation, one for each value of a ReLU, "
            "whether it is a module (`relu`) or a function call (`functional relu`). A real tool had this bug. Find the line, or repair the function."
        ),
        name="count_operations",
        starter=source('{"relu": 1, "functional relu": 1}'),
        fixed=source('{"functional relu": 1}'),
        reference=reference,
        inputs=tuple(
            (
                tuple(
                    (random.choice(kinds), random.randint(0, 999), random.randint(1, 999))
                    for _ in range(8)
                ),
            )
            for _ in range(10)
        ),
        line=6,
        others=(
            (4, "The MACs are counted once for each row: right."),
            (5, "Two operations for batch normalisation and one for ReLU modules: the convention."),
            (7, "This adds what the table of modules says. Look at the tables themselves."),
            (8, "This adds what the table of functions says. Look at the tables themselves."),
        ),
        slips=(
            Slip(
                name="functions lost",
                answer=source("{}"),
                hint="Now the ReLUs that are called as functions are not counted at all.",
            ),
            Slip(
                name="modules lost",
                answer=source('{"relu": 1, "functional relu": 1}', "{}"),
                hint="The ReLUs are right now, but the batch normalisations are lost.",
            ),
        ),
        hints=(
            "Follow a `relu` row through the function: how often are its values added?",
            "Which kinds are in both tables?",
            "A ReLU module calls the function inside; it must count in one of the tables only.",
        ),
        why=(
            "`relu` is in both tables, so a ReLU module counts as a module and again as the function that it calls. "
            f"In ResNet-18 its ReLUs have {n(modules)} values, counted twice."
        ),
    )


def _batch_norm() -> Number:
    resnet = table("resnet18")
    exact, printed = total(resnet, "macs"), total(resnet, "torchprofile")
    pool = resnet["avgpool"].outputs
    values = sum(row.outputs for row in resnet.rows if row.kind == "batch_norm")
    return Number(
        id="08-batch-norm",
        title="Read a tool's mind",
        statement=(
            f"For ResNet-18 torchprofile prints {n(printed)}, the exact MACs are {n(exact)}. "
            f"It adds one operation for each value that a batch normalisation puts out, and {n(pool)} for the last pool. How many values do the batch normalisations put out?"
        ),
        value=values,
        scale=VALUES,
        tolerance=Fraction(1, 100_000),
        slips=(
            Slip(
                name="pool left in",
                answer=values + pool,
                hint=f"The {n(pool)} of the pool are still in it.",
            ),
            Slip(
                name="pool added",
                answer=values + 2 * pool,
                hint="The pool's operations are in the difference already: take them away, do not add them.",
            ),
            Slip(
                name="all feature maps",
                answer=resnet.values,
                hint="These are all newly made values of the table. Take the difference of the two counts.",
            ),
            Slip(
                name="parameters read",
                answer=sum(r.params for r in resnet.rows if r.kind == "batch_norm"),
                hint="These are the parameters of the batch normalisations, not what they put out.",
            ),
        ),
        hints=(
            "Take the difference of the two counts.",
            "What else is in the difference?",
            f"{n(printed)} − {n(exact)} − {n(pool)}.",
        ),
        why="The difference has a name down to the last unit. fvcore counts 2 for each of these values, thop 4.",
    )


def _recall() -> Number:
    params = table("mobilenet_v2").params
    size = 4 * params
    printed = f"{float(Fraction(size, MiB.size)):.2f}"
    return Number(
        id="08-recall-mib",
        title="A tool's MB",
        recalls="02",
        statement=f'A tool prints "Params size (MB): {printed}" for MobileNetV2. Its source divides the bytes by 1024². How many MB, of 10^6 bytes, is that?',
        value=size,
        scale=MB,
        slips=(
            Slip(
                name="believed",
                answer=Fraction(size * MB.size, MiB.size),
                hint="That is the printed number: it is MiB, whatever the tool calls it.",
            ),
            Slip(
                name="wrong way",
                answer=Fraction(size) * (Fraction(10**6, 2**20)) ** 2,
                hint="You divided by 1.0486; a MiB is more than a MB, so in MB the number is larger.",
            ),
            Slip(
                name="a byte a value",
                answer=params,
                hint="That is one byte for each parameter. Float32 takes 4.",
            ),
        ),
        hints=(
            "1024² is not 10^6.",
            "In MB the number is larger by 1.048576.",
            f"{printed} x 1.048576.",
        ),
        why=f"{mib(size)} are {mb(size)}, {n(params)} parameters of 4 bytes.",
    )
