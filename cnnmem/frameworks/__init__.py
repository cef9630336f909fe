"""PyTorch and Keras: read their models into tables, and build theirs from plain networks.

`pytorch` and `keras` each import their framework on first use; this package imports neither.
"""

from .availability import available, installed, report

__all__ = ["available", "installed", "report"]
