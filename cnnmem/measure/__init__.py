"""What a framework really does, measured: the counts of this package stand beside it."""

from .saved import saved_bytes

__all__ = ["saved_bytes"]
