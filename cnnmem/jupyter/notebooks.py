"""The lessons that come with the package, copied to a folder of the reader's own.

A wheel carries the notebooks as data; a checkout has them in its own folder.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from cnnmem.errors import CnnmemError


@dataclass(frozen=True)
class Copied:
    """The notebooks that a copy wrote, kept as the reader has them, or found to be the same."""

    folder: Path
    new: tuple[str, ...]
    kept: tuple[str, ...]
    same: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.folder}: {len(self.new)} copied, {len(self.same)} there already"]
        lines += [f"  {name}" for name in self.new]
        if self.kept:
            lines.append("Yours differ, and were kept as they are:")
            lines += [f"  {name}" for name in self.kept]
            lines.append("To get the original of one, rename yours and copy again.")
        return "\n".join(lines)


def source() -> Path:
    """Return the folder with the lessons.

    Raises `CnnmemError` if the package came without them.

    >>> (source() / "00-start-here.ipynb").is_file()
    True
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_notebooks", package.parent / "notebooks"):
        if any(folder.glob("[0-9]*.ipynb")):
            return folder
    raise CnnmemError("this installation has no notebooks; reinstall the package")


def copy(folder: str | Path) -> Copied:
    """Copy the lessons to a folder, created if missing; no file is ever overwritten.

    A lesson is written under another name first, so that none is ever there in part.
    Raises `CnnmemError` if the folder has no name or cannot be written.
    """
    if not str(folder).strip():
        raise CnnmemError('the folder has no name; give one, such as "lessons" or "." (this one)')
    target = Path(folder)
    new: list[str] = []
    kept: list[str] = []
    same: list[str] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for lesson in sorted(source().glob("[0-9]*.ipynb")):
            theirs = target / lesson.name
            if os.path.lexists(theirs):
                equal = theirs.is_file() and theirs.read_bytes() == lesson.read_bytes()
                (same if equal else kept).append(lesson.name)
                continue
            part = target / f".{lesson.name}.part"
            try:
                shutil.copyfile(lesson, part)
                part.rename(theirs)
            finally:
                part.unlink(missing_ok=True)
            new.append(lesson.name)
    except OSError as error:
        raise CnnmemError(f"cannot copy the notebooks to {target}: {error.strerror}") from None
    return Copied(target, tuple(new), tuple(kept), tuple(same))
