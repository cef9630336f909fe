"""Models of torchvision by task and name, built without drawing their weights."""

import torch
from torch.overrides import TorchFunctionMode
from torchvision_shim import models

_TASKS = {"torchvision": models, "segmentation": models.segmentation, "video": models.video}
NAMES = [f"{task}/{name}" for task in _TASKS for name in models.list_models(module=_TASKS[task])]


class Undrawn(TorchFunctionMode):
    """Fills initial weights with zeros. No count reads them, and drawing them takes longer."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in _DRAWN:
            with torch.no_grad():
                return (args[0] if args else kwargs["tensor"]).zero_()
        return func(*args, **(kwargs or {}))


_DRAWN = {
    *("normal_", "uniform_", "kaiming_normal_", "kaiming_uniform_", "xavier_normal_"),
    *("xavier_uniform_", "orthogonal_"),
}


def build(model):
    """Return a model of `NAMES`."""
    task, name = model.split("/")
    options = {}
    if task == "segmentation":
        options = {"weights": None, "weights_backbone": None}
    elif name in ("googlenet", "inception_v3"):
        options = {"init_weights": False}  # they warn unless told
    with Undrawn(), torch.device("cpu"):
        return models.get_model(name, **options)


def own_size(model):
    """Return the size that a model is made for, frames first for a video."""
    task, name = model.split("/")
    side = 299 if name == "inception_v3" else 224
    return (16, side, side) if task == "video" else (side, side)
