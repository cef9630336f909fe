"""A learner's progress, in one file in the user's data folder. Nothing leaves the machine.

The environment variable CNNMEM_DATA sets another folder (tests and CI use it).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

VERSION = 1
NAME = "progress.json"
STATES = ("not attempted", "wrong", "right", "predicted")


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
    home = Path.home() if home is None else home
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "cnnmem"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "cnnmem"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "cnnmem"


def load() -> Progress:
    """Return the progress; a damaged file is renamed, and the message says to what."""
    path = folder() / NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Progress()
    except UnicodeDecodeError:
        return _set_aside(path, "it is not text")
    except OSError as error:
        return Progress(message=f"Your progress cannot be read: {error.strerror}.")
    try:
        return Progress(MappingProxyType(_parse(json.loads(text))))
    except (ValueError, RecursionError) as error:
        return _set_aside(path, str(error))


def save(id: str, record: Record) -> str:
    """Save a question's record; return a message about the file, "" if there is none."""
    progress = load()
    records = dict(progress.records)
    records[id] = records.get(id, Record()).after(record)
    return " ".join(text for text in (progress.message, _write(records)) if text)


def reset(lesson: str = "") -> str:
    """Forget the progress of a lesson ("02"), or of all of them; return what was done."""
    progress = load()
    kept = {
        id: r for id, r in progress.records.items() if lesson and not id.startswith(f"{lesson}-")
    }
    gone = len(progress.records) - len(kept)
    trouble = _write(kept) if gone else ""
    where = f"of lesson {lesson}" if lesson else "of all lessons"
    done = f"Progress {where} forgotten: {gone} question{'' if gone == 1 else 's'}."
    return " ".join(text for text in (progress.message, trouble or done) if text)


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


def _set_aside(path: Path, why: str) -> Progress:
    number = 1
    while (aside := path.with_name(f"progress.damaged-{number}.json")).exists():
        number += 1
    try:
        path.replace(aside)
    except OSError as error:
        return Progress(message=f"The progress file is damaged ({why}): {error.strerror}.")
    return Progress(
        message=f"The progress file was damaged ({why}) and is set aside as {aside.name}; "
        "a new one begins."
    )


def _write(records: Mapping[str, Record]) -> str:
    """Replace the file in one step: a reader sees the old or the new file, never half of one."""
    data = {"version": VERSION, "questions": {id: asdict(r) for id, r in sorted(records.items())}}
    temporary = None
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=folder(), prefix=".progress-", suffix=".tmp", delete=False
        ) as file:
            temporary = Path(file.name)
            json.dump(data, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder() / NAME)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        return f"Your progress cannot be kept: {error.strerror}."
    return ""
