"""A learner's progress, in one file in the user's data folder. Nothing leaves the machine.

The environment variable CNNMEM_DATA sets another folder (tests and CI use it). With
`CNNMEM_DATA=memory` nothing is written, and each kernel forgets at its end: for a lecturer's deck,
and for pages that several visitors share. In a browser the folder is on the page's own drive,
where JupyterLab's list of files shows it.

Any number of kernels may share a folder. Whoever changes the file holds a lock from reading it to
replacing it; who only reads needs none, because the file is replaced in one step.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

VERSION = 1
NAME = "progress.json"
STATES = ("not attempted", "wrong", "right", "predicted")
MEMORY = "memory"
LARGEST = 4 * 2**20  # bytes; all answers to all questions take far less
LONGEST = 20_000  # characters of an answer that is kept
PATIENCE = 15.0  # seconds to wait for the lock


@dataclass(frozen=True)
class Record:
    """What is saved about a question: best state, attempts, hints, last answer."""

    state: str = "not attempted"
    attempts: int = 0
    hints: int = 0
    revealed: bool = False
    answer: Any = None

    def after(self, newer: Record) -> Record:
        """Return the newer record, but a question that was right once stays right.

        Asking for a hint before answering does not discard an earlier answer.

        >>> Record("wrong", 2, answer="7").after(Record(hints=1))
        Record(state='wrong', attempts=2, hints=1, revealed=False, answer='7')
        """
        if newer.state == "not attempted":
            newer = replace(
                newer, state=self.state, attempts=self.attempts, answer=newer.answer or self.answer
            )
        return replace(newer, state="right") if self.state == "right" else newer


@dataclass(frozen=True)
class Progress:
    """All records by question id, and a message about the file, if there is one."""

    records: Mapping[str, Record] = field(default_factory=lambda: MappingProxyType({}))
    message: str = ""


Records = dict[str, Record]


class Store(Protocol):
    """Where progress is kept: `FolderStore` or `MemoryStore`."""

    def read(self) -> Progress:
        """Return what is kept."""

    def change(self, edit: Callable[[Records], None]) -> str:
        """Let `edit` change the records; return a message about the file, "" if there is none."""


class MemoryStore:
    """Progress that lives as long as its kernel.

    >>> MemoryStore().read().records
    mappingproxy({})
    """

    def __init__(self) -> None:
        self._records: Records = {}

    def read(self) -> Progress:
        return Progress(MappingProxyType(dict(self._records)))

    def change(self, edit: Callable[[Records], None]) -> str:
        edit(self._records)
        return ""


class FolderStore:
    """Progress in a file of a folder, which any number of kernels may share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._temporary = folder / f".{NAME}.tmp"  # one is enough: who writes holds the lock

    def read(self) -> Progress:
        """Return the progress; a damaged file is renamed, and the message says to what."""
        if self._temporary.exists():  # a writer is at work, or was killed
            with contextlib.suppress(OSError), self._locked(patience=0):
                self._tidy()
        try:
            info = self._path.stat()
            if not stat.S_ISREG(info.st_mode):
                return self._set_aside("it is no file")
            if info.st_size > LARGEST:
                return self._set_aside(f"it holds {info.st_size:,} bytes")
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Progress()
        except UnicodeDecodeError:
            return self._set_aside("it is not text")
        except OSError as error:
            return Progress(message=f"Your progress cannot be read: {error.strerror}.")
        try:
            return Progress(MappingProxyType(_parse(json.loads(text))))
        except (ValueError, RecursionError) as error:
            return self._set_aside(str(error))

    def change(self, edit: Callable[[Records], None]) -> str:
        """Let `edit` change the records, while no other kernel does."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._locked(PATIENCE):
                self._tidy()
                progress = self.read()
                records = dict(progress.records)
                edit(records)
                self._write(records)
        except TimeoutError:
            return "Your progress cannot be kept: another program holds its file."
        except OSError as error:
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)
            return f"Your progress cannot be kept: {error.strerror}."
        return progress.message

    def _tidy(self) -> None:
        """Remove what a killed writer left; only who holds the lock may."""
        for left in self._folder.glob(".progress*.tmp"):
            left.unlink()

    @contextlib.contextmanager
    def _locked(self, patience: float) -> Iterator[None]:
        """Hold the folder's lock; it ends with the process that holds it, however that ends."""
        with (self._folder / f".{NAME}.lock").open("ab") as file:
            end = time.monotonic() + patience
            while not _lock(file.fileno()):
                if time.monotonic() >= end:
                    raise TimeoutError
                time.sleep(0.005)
            yield  # closing the file unlocks it

    def _write(self, records: Records) -> None:
        """Replace the file in one step: a reader sees the old or the new one, never half of one."""
        data = {
            "version": VERSION,
            "questions": {id: asdict(one) for id, one in sorted(records.items())},
        }
        # in ASCII, which holds half a surrogate pair too
        with self._temporary.open("x", encoding="ascii") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        self._temporary.replace(self._path)

    def _set_aside(self, why: str) -> Progress:
        number = 1
        while (aside := self._path.with_name(f"progress.damaged-{number}.json")).exists():
            number += 1
        try:
            self._path.replace(aside)
        except OSError as error:
            return Progress(message=f"The progress file is damaged ({why}): {error.strerror}.")
        return Progress(
            message=f"The progress file was damaged ({why}) and is set aside as {aside.name}; "
            "a new one begins."
        )


def _lock(file: int) -> bool:
    """Return whether this process now holds the lock of an open file."""
    if sys.platform == "emscripten":
        return True  # a browser has no locks of files
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


_IN_MEMORY = MemoryStore()


def current() -> Store:
    """Return the store that the environment asks for."""
    return _IN_MEMORY if os.environ.get("CNNMEM_DATA") == MEMORY else FolderStore(folder())


def folder(
    environ: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> Path:
    """Return the folder of the progress file.

    >>> folder({"CNNMEM_DATA": "somewhere"}).name
    'somewhere'
    >>> folder({}, "darwin", Path("home")).as_posix()
    'home/Library/Application Support/cnnmem'
    """
    if environ.get("CNNMEM_DATA"):
        return Path(environ["CNNMEM_DATA"])
    if platform == "emscripten":
        return Path("/drive/cnnmem")
    home = Path.home() if home is None else home
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "cnnmem"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "cnnmem"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "cnnmem"


def load() -> Progress:
    """Return the progress; a damaged file is set aside, and the message says so."""
    return current().read()


def save(id: str, record: Record) -> str:
    """Save a question's record; return a message about the file, "" if there is none."""
    if not _keepable(record.answer):
        record = replace(record, answer=None)

    def edit(records: Records) -> None:
        records[id] = records.get(id, Record()).after(record)

    return current().change(edit)


def reset(lesson: str = "") -> str:
    """Forget the progress of a lesson ("02"), or of all of them; return what was done."""
    gone: list[str] = []

    def edit(records: Records) -> None:
        gone.extend(id for id in records if not lesson or id.startswith(f"{lesson}-"))
        for id in gone:
            del records[id]

    kept = load()
    trouble = current().change(edit) if kept.records else ""
    where = f"of lesson {lesson}" if lesson else "of all lessons"
    done = f"Progress {where} forgotten: {len(gone)} question{'' if len(gone) == 1 else 's'}."
    return " ".join(text for text in (kept.message, trouble or done) if text)


def _keepable(answer: Any) -> bool:
    """Return whether an answer is short enough, and can be read back."""
    try:
        return len(json.dumps(answer)) <= LONGEST
    except (TypeError, ValueError, RecursionError):
        return False


def _parse(data: Any) -> dict[str, Record]:
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise ValueError(f"it is not progress of version {VERSION}")
    if not isinstance(data.get("questions"), dict):
        raise ValueError("it holds no questions")
    return {id: _record(id, entry) for id, entry in data["questions"].items()}


def _record(id: str, entry: Any) -> Record:
    expected = {"state": str, "attempts": int, "hints": int, "revealed": bool, "answer": object}
    if not isinstance(entry, dict) or entry.keys() != expected.keys():
        raise ValueError(f"the entry of {id} is not a record")
    for key, kind in expected.items():
        if not isinstance(entry[key], kind):
            raise ValueError(f"{key} of {id} is not of type {kind.__name__}")
    if entry["state"] not in STATES:
        raise ValueError(f"state of {id} is unknown")
    return Record(**entry)
