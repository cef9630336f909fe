"""cnnmem: where the memory of a convolutional network goes, and why published numbers disagree."""

from .table import summary
