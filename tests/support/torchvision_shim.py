"""Import torchvision, beside a CPU-only torch too: there its operators are declared, not loaded."""

import importlib.util
from pathlib import Path

import torch


def _has_operators() -> bool:
    """Return whether torchvision's library was built for this torch."""
    spec = importlib.util.find_spec("torchvision")
    assert spec is not None
    assert spec.origin is not None
    try:
        torch.ops.load_library(Path(spec.origin).with_name("_C.so"))
    except OSError:
        return False
    return True


if not _has_operators():
    _library = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision
from torchvision import models

__all__ = ["models", "torchvision"]
