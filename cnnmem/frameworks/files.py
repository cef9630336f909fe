"""Measure real files: a framework saves a model, its size is read, and the file is removed.

The sizes are the file system's. The files live in a temporary folder, which is removed even when
saving fails.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cnnmem.units import MB, MiB, fixed


class Content(NamedTuple):
    """A file to write: what it holds, its name, what saves it, and the bytes of its values."""

    what: str
    name: str
    save: Callable[[Path], Any]
    values_bytes: int


@dataclass(frozen=True)
class SavedFile:
    """A written file: what it holds, its size in bytes, and how many of them are values."""

    what: str
    name: str
    bytes: int
    values_bytes: int

    @property
    def overhead(self) -> int:
        """Bytes that are not values: names, shapes, alignment, the file's own tables."""
        return self.bytes - self.values_bytes

    def __str__(self) -> str:
        mb, mib = self.bytes / MB.size, self.bytes / MiB.size
        size = f"{fixed(mb)} MB = {fixed(mib)} MiB"
        # whole kB, rounded up: a few bytes differ with the version of the framework
        return f"{self.what}: {size}, of which {-(-self.overhead // 1000):,} kB is overhead"


def measured(contents: Iterable[Content]) -> tuple[SavedFile, ...]:
    """Write the files and return their sizes; each is removed before the next is written."""
    files = []
    with tempfile.TemporaryDirectory(prefix="cnnmem-") as folder:
        for content in contents:
            path = Path(folder) / content.name
            content.save(path)
            size = path.stat().st_size
            files.append(SavedFile(content.what, content.name, size, content.values_bytes))
            path.unlink()
    return tuple(files)
