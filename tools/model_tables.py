"""Write docs/torchvision.md and docs/training-step.md.

    python tools/model_tables.py torchvision    every classification model, read by from_torch
    python tools/model_tables.py training       measured training steps beside two predictions

The first executes nothing; a test compares its lines with torch's own counts. The second trains
four networks for two steps each (minutes, 5 GB of memory).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests" / "support"))  # torchvision_shim

from torchvision_shim import models  # type: ignore[import-not-found]

from cnnmem import summary
from cnnmem.count.summary import Summary
from cnnmem.count.training import training_step as plain_step
from cnnmem.frameworks.pytorch import training_step as measured_step
from cnnmem.frameworks.pytorch.step import OPTIMIZERS, PHASES, TrainingStep
from cnnmem.model import zoo
from cnnmem.units import MB, fixed, number

TORCHVISION = """\
# torchvision's classification models in numbers

Written by `python tools/model_tables.py torchvision`. Two images (Inception cannot train on one) at
the model's size, training mode, float32, nothing executed. Parameters equal torch's, MACs are half
of what FlopCounterMode counts, and "kept for backward" is what autograd keeps in an executed step,
to the byte: tests compare parameters and MACs for all models, and the bytes kept for those that are
small enough to run. Training runs the second classifiers of GoogLeNet and Inception: they are in.

| model | image | rows | parameters | statistics | MACs | kept for backward, bytes | MB |
|---|---|---:|---:|---:|---:|---:|---:|
"""

TRAINING = """\
# A training step: measured, and two predictions

Written by `python tools/model_tables.py training`. torchvision's models, batch 8 at 224 x 224, the
second step, on the CPU; the loss is the sum of the outputs. Bytes in MB of everything alive at the
peak: parameters, buffers, the optimizer's state, the image, what the step adds. Measured from the
profiler's memory events. `cnnmem` is `cnnmem.training.training_step` on the plain network,
MemTracker is torch's own, under fake tensors.

Where a prediction is off, it is by temporaries of kernels, which neither knows. A trace of the SGD
steps shows them in a convolution's backward: oneDNN's kernels hold a second buffer as large as the
weight beside its gradient (9.44 MB for 512 x 512 x 3 x 3), in VGG-16 another as large as the map
(12.85 MB). With `torch.backends.mkldnn.enabled = False` they are gone, and the unfolded map of the
kernel that steps in is there instead. ResNet-18 is off by less than its buffer, as the prediction
has its peak a layer apart.

| model | optimizer | peak in | measured | cnnmem | error | MemTracker | error |
|---|---|---|---:|---:|---:|---:|---:|
"""

NETWORKS = ("vgg16", "resnet18", "mobilenet_v2", "densenet121")
SHAPE = (8, 3, 224, 224)


def read(name: str) -> Summary:
    """Return the table of a model of torchvision for two images."""
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    size = 299 if name == "inception_v3" else 224
    # RegNet's constructors compute with tensor values, which tensors on "meta" do not have
    with nullcontext() if name.startswith("regnet") else torch.device("meta"):
        module = models.get_model(name, **options)
    return summary(module, (2, 3, size, size))


def torchvision_line(name: str, table: Summary) -> str:
    """Return the line of a model in docs/torchvision.md."""
    assert table.saved_bytes is not None
    return (
        f"| {name} | {' x '.join(map(str, table.image))} | {len(table.rows) - 1:,} "
        f"| {table.params:,} | {table.statistics:,} | {table.macs:,} | {table.saved_bytes:,} "
        f"| {fixed(table.total('autograd').value, 1)} |"
    )


def tracked_peak(make: Callable[[], Any], optimizer: str) -> int:
    """Return the peak bytes that MemTracker predicts for a second step."""
    with FakeTensorMode():
        module, image = make(), torch.rand(SHAPE)
        trainer = OPTIMIZERS[optimizer](module.parameters())
        tracker = MemTracker()
        tracker.track_external(module, trainer, image)
        with tracker:
            for _ in range(2):
                tracker.reset_mod_stats()
                module(image).sum().backward()
                trainer.step()
                trainer.zero_grad()
        peaks = tracker.get_tracker_snapshot("peak").values()
    return int(next(iter(peaks))["Total"])


def training_line(name: str, optimizer: str) -> str:
    """Measure a step, predict it in two ways and return the line in docs/training-step.md."""
    make = getattr(models, name)
    real: TrainingStep = measured_step(make(), SHAPE, optimizer=optimizer)  # type: ignore[arg-type]
    table = summary(zoo.get(name, variant="torchvision"), batch=SHAPE[0])
    plain = plain_step(table, optimizer).peak
    tracked = tracked_peak(make, optimizer)
    phases = {p: getattr(real, f"peak_{p}") for p in PHASES}
    cells = [f"{name} | {optimizer} | {max(phases, key=lambda p: phases[p])}", _mb(real.total)]
    for prediction in (plain.total, tracked):
        cells += [_mb(prediction), f"{100 * (prediction / real.total - 1):+.2f} %"]
    return f"| {' | '.join(cells)} |"


def _mb(count: int) -> str:
    return number(round(count / MB.size, 2))


def main(which: str) -> None:
    """Write one of the documents."""
    if which == "torchvision":
        names = models.list_models(module=models)
        text = TORCHVISION + "\n".join(torchvision_line(name, read(name)) for name in names)
    else:
        lines = [training_line(name, optimizer) for name in NETWORKS for optimizer in OPTIMIZERS]
        text = TRAINING + "\n".join(lines)
    document = DOCS / ("torchvision.md" if which == "torchvision" else "training-step.md")
    document.write_text(text + "\n", encoding="utf-8")
    print(f"{document.name} written")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("torchvision", "training"):
        sys.exit(__doc__)
    main(sys.argv[1])
