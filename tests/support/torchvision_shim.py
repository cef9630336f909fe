"""Import torchvision beside a CPU-only torch: its own operators are declared, not loaded."""

import torch

_library = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision
from torchvision import models

__all__ = ["models", "torchvision"]
