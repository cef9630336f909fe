"""PyTorch and Keras: their models become tables, plain networks become their models.

`pytorch` and `keras` each import their framework on first use; this package imports neither.
"""

from .availability import available, installed, report

__all__ = ["available", "installed", "report"]
