"""What a framework really does, measured: the counts of this package stand beside it."""

from .saved import saved_bytes
from .step import TrainingStep, training_step

__all__ = ["TrainingStep", "saved_bytes", "training_step"]
