"""Lesson 07, what training adds: gradients, optimizer state, kept tensors, the batch that fits."""

from __future__ import annotations

from fractions import Fraction

from cnnmem.count.budget import freeze
from cnnmem.count.summary import summary
from cnnmem.count.training import OPTIMIZERS, training_step
from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.coding import Write
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.ordering import Item, Order, ordered
from cnnmem.exercises.quantity import GB as GIGABYTES
from cnnmem.exercises.quantity import MB, KiB
from cnnmem.exercises.question import Question
from cnnmem.model import zoo
from cnnmem.units import GB, GiB

from .count import drawn, mb, n, table


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (_adam(), _grows(), _order(), _frozen(), _bfloat16(), _batch(), _largest(), _recall())


def _adam() -> Number:
    size = 4 * table("vgg16").params
    states = OPTIMIZERS["adam"][0]
    value = (2 + states) * size
    return Number(
        id="07-adam",
        title="Before the first image",
        statement=f"VGG-16's parameters take {mb(size)} in float32. How many GB do parameters, their gradients and Adam's state take together?",
        value=value,
        scale=GIGABYTES,
        charted="network's part",
        slips=(
            Slip(
                name="gradients forgotten",
                answer=(1 + states) * size,
                hint="Three times the parameters: either the gradients are missing, or one of Adam's two states.",
            ),
            Slip(
                name="SGD",
                answer=2 * size,
                hint="That is plain SGD: parameters and gradients. Adam remembers more.",
            ),
            Slip(name="parameters only", answer=size, hint="These are the parameters alone."),
            Slip(
                name="GiB for GB",
                answer=Fraction(value) * GB.size / GiB.size,
                hint="That is the figure in GiB; in GB, 10^9 bytes, it is 7.4 % more.",
            ),
        ),
        hints=(
            "How many numbers belong to a parameter while it is trained with Adam?",
            "The parameter, its gradient, and two running means.",
            f"4 x {mb(size)}.",
        ),
        why="4 times the parameters, whatever the batch. With SGD it is 2 times, with momentum 3.",
    )


def _grows() -> Choice:
    return Choice(
        id="07-batch",
        reveals=(
            "doubles with the batch",
            "grows with the batch",
        ),
        title="Twice the batch",
        statement="You train with twice as many images at a time. Which memory doubles?",
        options=(
            Option("the parameters", hint="All images use the same parameters."),
            Option(
                "the gradients of the parameters",
                hint="The images' gradients are added up: one number for each parameter, whatever the batch.",
            ),
            Option(
                "the optimizer's state", hint="It belongs to the parameters, not to the images."
            ),
            Option("the tensors kept for backward"),
            Option("all of these", hint="Most of it belongs to the network, not to the images."),
        ),
        hints=(
            "Ask of each: does it belong to the network or to the images?",
            "A gradient has the shape of its parameter.",
            "Only feature maps, and what goes with them, exist for each image.",
        ),
        why="Feature maps, pool indices and masks exist for each image. All else has the shape of the parameters.",
    )


def _order() -> Order:
    batch = 32
    one = table("vgg16")
    images = 4 * one["input"].values * batch
    gradients = 4 * one.params
    state = OPTIMIZERS["adam"][0] * gradients
    kept = table("vgg16", batch=batch).saved_bytes or 0
    return Order(
        id="07-order",
        reveals=("kept   2.35 GB",),
        title="Who needs most",
        statement=f"VGG-16 is trained with Adam on batches of {batch} images of 224 pixels. Order by memory, the smallest first.",
        items=(
            Item("Adam's state", state),
            Item("tensors kept for backward", kept),
            Item("the images", images),
            Item("gradients of the parameters", gradients),
        ),
        slips=(
            Slip(
                name="one image",
                answer=ordered([state, one.saved_bytes or 0, images, gradients]),
                hint=f"That is the order for one image. The kept tensors are there for each of the {batch}.",
            ),
            Slip(
                name="state like gradients",
                answer=ordered([gradients, kept, images, state]),
                hint="Adam keeps two numbers for each parameter, the gradient is one.",
            ),
            Slip(
                name="largest first",
                answer=ordered([-state, -kept, -images, -gradients]),
                hint="That is right from the other end: the smallest comes first.",
            ),
            Slip(
                name="images first of all",
                answer=ordered([gradients, state, kept, images]),
                hint=f"The images look large, but take {mb(images)}: three channels, against 64 in the first map.",
            ),
        ),
        hints=(
            "Two of the four have the shape of the parameters. Which of those is larger?",
            f"Parameters take {mb(gradients)}; for each image {mb(one.saved_bytes or 0)} are kept.",
            f"{batch} x {mb(one.saved_bytes or 0)} against 2 x {mb(gradients)}.",
        ),
        why=f"{mb(images)} < {mb(gradients)} < {mb(state)} < {mb(kept)}.",
    )


def _frozen() -> Number:
    network = zoo.vgg16("torchvision")
    table_ = summary(freeze(network, "pool5"), batch=2)
    value = table_.saved_bytes or 0
    images = 4 * table_["input"].values
    whole = summary(network, batch=2).saved_bytes or 0
    return Number(
        id="07-frozen",
        title="Frozen features",
        statement="torchvision's VGG-16, two images, all convolutions frozen: only the linear layers are trained. How many KiB are kept for backward?",
        value=value,
        scale=KiB,
        slips=(
            Slip(
                name="not frozen",
                answer=whole,
                hint="That is what is kept when everything is trained.",
            ),
            Slip(
                name="images kept",
                answer=value + images,
                hint="The images are not kept: no convolution needs them for a gradient any more.",
            ),
            Slip(
                name="one image",
                answer=Fraction(value, 2),
                hint="That is one image; there are two.",
            ),
            Slip(
                name="maps kept",
                answer=sum(row.saved for row in summary(network, batch=2).rows[:-8]),
                hint="Those are the maps of the frozen part. Where nothing before it is trained, a layer keeps nothing.",
            ),
        ),
        hints=(
            "A tensor is kept only if a gradient needs it.",
            "The gradient of fc1's weights needs fc1's input: 25,088 values for each image.",
            "The inputs of the three linear layers, and the masks of the two dropouts.",
        ),
        why=f"{n(value)} bytes, where training everything keeps {n(whole)}. Freezing saves far more than the gradients of the frozen parameters.",
    )


def _bfloat16() -> Number:
    full, half = table("vgg16"), table("vgg16", dtype="bfloat16")
    value, whole = half.saved_bytes or 0, full.saved_bytes or 0
    indices = 8 * sum(row.indices for row in full.rows)
    return Number(
        id="07-bfloat16",
        title="Half the bits",
        statement=f"VGG-16 keeps {mb(whole)} for one image in float32, {mb(indices)} of it indices of max pools (int64). How many MB does it keep in bfloat16?",
        value=value,
        scale=MB,
        slack=Fraction(1, 2000),  # the statement rounds
        slips=(
            Slip(
                name="exactly half",
                answer=Fraction(whole, 2),
                hint="Not everything halves: an index stays an int64 of 8 bytes.",
            ),
            Slip(
                name="unchanged",
                answer=whole,
                hint="A bfloat16 value takes 2 bytes, a float32 value takes 4.",
            ),
            Slip(
                name="indices left out",
                answer=value - indices,
                hint="The indices are kept, too, in full size.",
            ),
            Slip(
                name="only indices halve",
                answer=whole - indices // 2,
                hint="It is the other way: values halve, indices stay.",
            ),
        ),
        hints=(
            "Which part of it changes with the dtype?",
            "Values halve, indices stay.",
            f"({mb(whole)} − {mb(indices)}) / 2 + {mb(indices)}.",
        ),
        why=f"({mb(whole)} − {mb(indices)}) / 2 + {mb(indices)}. The more a network pools, the less it gains.",
    )


def _batch() -> Choice:
    step = training_step(table("vgg16", variant="torchvision", batch=8))
    before = step.after_forward
    last = [moment for moment in step.moments if moment.phase == "backward"][-1]
    return Choice(
        id="07-backward",
        reveals=("gradients 522.89 MB",),
        recalls="03",
        title="What grows in backward",
        statement="After the forward pass of 8 images VGG-16 holds its kept tensors. During backward the memory grows further, by about the same again. What is it that arrives?",
        options=(
            Option(
                "A second copy of all feature maps.",
                hint='That is the old rule "x 2 for backward". The gradient of a map lives only until the layer before it has used it.',
            ),
            Option(
                "The optimizer's state.", hint="Plain SGD has none, and the growth is there, too."
            ),
            Option("The gradients of the parameters."),
            Option(
                "The indices of the pools.", hint="They were kept in forward, and go in backward."
            ),
        ),
        hints=(
            "Which tensors stay when backward is done?",
            "The optimizer needs something for each parameter.",
            "Look at the chart over time: one colour only grows.",
        ),
        why=(
            f"{mb(last.gradients)} of gradients, as much as the parameters; the activations, {mb(before.activations)} after forward, only go. "
            'So it is not "x 2": it does not grow with the batch.'
        ),
    )


def _largest() -> Write:
    random = drawn("07-largest-batch")
    inputs = [(8 * 2**30, 2**30, 2_213_720_704, 73_254_912), (100, 10, 95, 1), (100, 10, 20, 7)]
    while len(inputs) < 20:
        each = random.randint(10, 1000)
        inputs.append(
            (
                random.randint(1, 100) * 1000,
                random.randint(0, 9000),
                random.randint(0, 60_000),
                each,
            )
        )
    head = "def largest_batch(card, reserve, fixed, per_image):\n"

    def body(result: str) -> str:
        return f"{head}    return {result}\n"

    return Write(
        id="07-largest-batch",
        title="The batch that fits",
        statement=(
            "Write a function that estimates the largest batch. "
            "`card` is the memory of the card, `reserve` what is kept free for context and workspace, `fixed` what does not grow with the batch, "
            "`per_image` what each image needs; all in bytes. If not even one image fits, it is 0."
        ),
        name="largest_batch",
        starter=head + '    """Return the number of images that fit, 0 if none does."""\n    ...\n',
        fixed=body("max(0, (card - reserve - fixed) // per_image)"),
        reference=lambda card, reserve, fixed, per_image: max(
            0, (card - reserve - fixed) // per_image
        ),
        inputs=tuple(inputs),
        slips=(
            Slip(
                name="reserve forgotten",
                answer=body("max(0, (card - fixed) // per_image)"),
                hint="The reserve is missing: a card is never free to the last byte.",
            ),
            Slip(
                name="fixed part forgotten",
                answer=body("max(0, (card - reserve) // per_image)"),
                hint="Parameters, gradients and optimizer state are there before the first image: `fixed`.",
            ),
            Slip(
                name="negative",
                answer=body("(card - reserve - fixed) // per_image"),
                hint="If the fixed part alone is too large, you return a negative batch. Return 0.",
            ),
            Slip(
                name="rounded up",
                answer=body("max(0, -((card - reserve - fixed) // -per_image))"),
                hint="You round up: the last image does not fit completely. Round down.",
            ),
            Slip(
                name="fixed for each image",
                answer=body("max(0, (card - reserve) // (fixed + per_image))"),
                hint="`fixed` is there once, not for each image.",
            ),
            Slip(
                name="at least one",
                answer=body("max(1, (card - reserve - fixed) // per_image)"),
                hint="Where no image fits, the answer is 0, not 1.",
            ),
        ),
        hints=(
            "How much memory is left for images?",
            "card − reserve − fixed, shared out at per_image.",
            "Divide with `//`, and use `max(0, ...)`.",
        ),
        why="What is left, divided and rounded down. It is an estimate: say which reserve it assumes.",
    )


def _recall() -> Number:
    one, many = table("vgg16"), table("vgg16", batch=16)
    kept, each = many.saved_bytes or 0, one.saved_bytes or 0
    every = 4 * many.values
    return Number(
        id="07-recall-kept",
        title="Kept, once more",
        recalls="03",
        statement=f"VGG-16 has {mb(4 * one.values)} of feature maps for an image and keeps {mb(each)} of tensors for backward. How many MB does it keep for a batch of 16?",
        value=kept,
        scale=MB,
        slack=Fraction(1, 10_000),  # the statement rounds
        slips=(
            Slip(
                name="the maps",
                answer=every,
                hint="That is the sum of the feature maps. Kept are these and the pools' indices.",
            ),
            Slip(
                name="maps x 2",
                answer=2 * every,
                hint='That is the rule "x 2 for backward", which lesson 03 refuted.',
            ),
            Slip(name="one image", answer=each, hint="That is one image; there are 16."),
            Slip(name="kept x 2", answer=2 * kept, hint="Nothing is kept twice."),
        ),
        hints=(
            "What is kept belongs to the images.",
            f"{mb(each)} for each image.",
            f"16 x {mb(each)}.",
        ),
        why="What is kept grows with the batch, image by image.",
    )
