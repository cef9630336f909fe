"""The explorer of memory over time: what is alive while each layer works."""

from __future__ import annotations

from typing import Any

from cnnmem.charts import Marker
from cnnmem.count import training
from cnnmem.count.table import table_of
from cnnmem.count.totals import total
from cnnmem.count.training import OPTIMIZERS, MemoryTimeline
from cnnmem.plots import timeline_of
from cnnmem.units import memory

from .choices import built, chosen, image_of, natural_size, offer
from .controls import Checkbox, Dropdown, Slider
from .explorer import Explorer, View


def over_time(
    network: Any = "vgg16",
    input_shape: Any = None,
    *,
    what: str = "inference",
    size: int | None = None,
    batch: int | None = None,
    parameters: bool = False,
) -> Explorer:
    """Return the explorer of what is alive over time.

    `network` is a `Network`, a name of the zoo (NAME or NAME/VARIANT), a torch module with its
    `input_shape` (N, C, H, W), or a Keras model. `size` (default: the network's own) and
    `batch` (default: N, or 1) are where the sliders stand at first.

    Controls: `network`, `what` ("inference", or a training step with one of the optimizers), `size`
    in pixels, `batch`, `parameters` (with the parameters, gradients and the optimizer's state).

    >>> over_time("vgg16").readout.splitlines()[0]
    'Inference of vgg16, batch 1: at most 25.69 MB of feature maps at once, at conv1_2.'
    """
    given = chosen(network, input_shape)
    offered, first = offer(None, given.network)
    steps = (
        ("inference", "inference"),
        *((f"a training step with {name}", name) for name in OPTIMIZERS),
    )

    def view(network: str, what: str, size: int, batch: int, parameters: bool) -> View:
        net = built(offered[network])
        table = table_of(net, image_of(net, size), batch)
        if what == "inference":
            line = training.inference(table)
        else:
            line = training.training_step(table, what)
        every = Marker("all feature maps together", value=int(total(table, "tensors").base))
        chart = timeline_of(line, parameters, () if parameters else (every,))
        return View((chart,), say(line, parameters))

    return Explorer(
        "Memory over time",
        (
            Dropdown("network", "network", tuple((n, n) for n in offered), first),
            Dropdown("what", "what happens", steps, what),
            Slider(
                "size",
                "input size (px)",
                least=32,
                most=1536,
                value=given.size or natural_size(offered[first]) if size is None else size,
                step=16,
            ),
            Slider(
                "batch", "batch (images)", 1, 256, (given.batch or 1) if batch is None else batch
            ),
            Checkbox("parameters", "with parameters, gradients and optimizer state", parameters),
        ),
        view,
        help="Time runs from left to right, one moment per layer; in a training step backward "
        "follows in reverse order, then the optimizer. The height is what is alive at that "
        "moment; the dashed line is the sum of the image and all feature maps.",
    )


def say(line: MemoryTimeline, parameters: bool) -> str:
    """Return the peak of a timeline in words, with or without the parameters."""
    top = max(line.moments, key=lambda m: m.total if parameters else m.activations)
    where = f"{top.phase} {top.layer}".strip()
    if parameters:
        text = (
            f"{line.title}: at most {memory(top.total)} at once, in {where}: parameters "
            f"{memory(top.parameters)}, gradients {memory(top.gradients)}, optimizer state "
            f"{memory(top.state)}, feature maps and the like {memory(top.activations)}."
        )
    elif top.phase == "forward" and not top.kept:
        text = (
            f"{line.title}: at most {memory(top.working)} of feature maps at once, at {top.layer}."
        )
    else:
        text = (
            f"{line.title}: at most {memory(top.activations)} at once, in {where}: "
            f"{memory(top.kept)} kept for backward, {memory(top.working)} working."
        )
    kept = line.after_forward.kept
    if kept:
        text += f"\nAfter forward {memory(kept)} are kept, the image included."
    return text
