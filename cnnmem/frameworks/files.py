"""Real files: a model is saved by its framework, measured and removed.

The sizes are the file system's. Nothing stays on the disk: the files live in a temporary folder
that is removed whatever happens.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cnnmem.units import MB, MiB, fixed, memory


class Content(NamedTuple):
    """A file to be written: what is in it, its name, what saves it, the bytes of its values."""

    what: str
    name: str
    save: Callable[[Path], Any]
    values_bytes: int


@dataclass(frozen=True)
class SavedFile:
    """A file as it was written: what is in it, its bytes, and the bytes of the values in it."""

    what: str
    name: str
    bytes: int
    values_bytes: int

    @property
    def overhead(self) -> int:
        """Bytes beside the values: names, shapes, alignment, the file's own tables."""
        return self.bytes - self.values_bytes

    def __str__(self) -> str:
        mb, mib = self.bytes / MB.size, self.bytes / MiB.size
        size = f"{fixed(mb)} MB = {fixed(mib)} MiB"
        return f"{self.what}: {size}, of it {memory(self.overhead)} not values"


def measured(contents: Iterable[Content]) -> tuple[SavedFile, ...]:
    """Write files one after the other, and return their sizes; each is removed before the next."""
    files = []
    with tempfile.TemporaryDirectory(prefix="cnnmem-") as folder:
        for content in contents:
            path = Path(folder) / content.name
            content.save(path)
            size = path.stat().st_size
            files.append(SavedFile(content.what, content.name, size, content.values_bytes))
            path.unlink()
    return tuple(files)
