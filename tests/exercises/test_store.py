"""Progress is one file: written in one step, set aside if damaged, cleared on request."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cnnmem.errors import UnknownNameError
from cnnmem.exercises import store
from cnnmem.exercises.sitting import Sitting
from cnnmem.exercises.store import Record
from cnnmem.lessons import progress
from cnnmem.lessons.registry import LESSONS, get, lesson

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNMEM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def files(folder):
    """Return the names in a folder, but for the lock, which stays."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_nothing_is_written_before_the_first_answer(folder):
    sitting = Sitting(get("02-where"))
    sitting.check(None)
    sitting.last_answer()
    assert store.load().records == {}
    assert not folder.exists()


def test_answers_are_saved():
    Sitting(get("02-where")).check("fc3")
    Sitting(get("02-rest")).check("100 M")
    records = store.load().records
    assert records["02-where"] == Record("wrong", 1, 0, False, "fc3")
    assert records["02-rest"].answer == "100 M"
    assert Sitting(get("02-where")).last_answer() == "fc3"


def test_right_once_stays_right():
    Sitting(get("02-where")).check("fc1")
    Sitting(get("02-where")).check("fc2")
    assert store.load().records["02-where"] == Record("right", 1, 0, False, "fc2")


def test_the_file_is_replaced_in_one_step(folder, monkeypatch):
    store.save("02-where", Record("wrong", 1))
    before = (folder / store.NAME).read_text()

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    message = store.save("02-where", Record("right", 2))
    assert message == "Your progress cannot be kept: No space left on device."
    assert (folder / store.NAME).read_text() == before
    assert files(folder) == [store.NAME]


def test_a_reader_never_sees_half_a_file(folder):
    store.save("02-where", Record("wrong", 1))
    seen = []
    stop = threading.Event()

    def read():
        while not stop.is_set():
            seen.append(json.loads((folder / store.NAME).read_text()))

    thread = threading.Thread(target=read)
    thread.start()
    for attempts in range(60):
        store.save("02-where", Record("wrong", attempts, answer="x" * 5000))
    stop.set()
    thread.join()
    assert len(seen) > 1
    assert all(entry["version"] == store.VERSION for entry in seen)


GOOD = {"state": "right", "attempts": 1, "hints": 0, "revealed": False, "answer": None}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'{"version": 99, "questions": {}}',
        b'{"version": 1}',
        b'{"version": 1, "questions": {"02-where": 3}}',
        json.dumps({"version": 1, "questions": {"a": {**GOOD, "state": "odd"}}}).encode(),
        json.dumps({"version": 1, "questions": {"a": {**GOOD, "attempts": "1"}}}).encode(),
        json.dumps({"version": 1, "questions": {"a": {**GOOD, "more": 1}}}).encode(),
        b"[" * 100_000,
    ],
    ids=range(12),
)
def test_a_damaged_file_is_set_aside_with_a_message(folder, content):
    folder.mkdir()
    (folder / store.NAME).write_bytes(content)
    kept = store.load()
    assert kept.records == {}
    assert "set aside as progress.damaged-1.json" in kept.message
    assert (folder / "progress.damaged-1.json").read_bytes() == content
    assert store.save("02-where", Record("right", 1)) == ""
    assert store.load().records["02-where"].state == "right"


@pytest.mark.parametrize("odd", ["fifo", "folder", "huge", "link to a folder"])
def test_what_is_no_progress_file_is_set_aside_at_once(folder, odd):
    folder.mkdir()
    path = folder / store.NAME
    match odd:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "huge":
            with path.open("wb") as file:
                file.truncate(5 * 10**9)
        case _:
            path.symlink_to(folder)
    began = time.monotonic()
    assert "set aside as progress.damaged-1.json" in store.load().message
    assert store.save("02-where", Record("right", 1)) == ""
    assert time.monotonic() - began < 2
    assert files(folder) == ["progress.damaged-1.json", store.NAME]


WRITER = """
import sys
from cnnmem.exercises import store
name, count = sys.argv[1], int(sys.argv[2])
for i in range(count):
    said = store.save(f"02-{name}-{i}", store.Record("wrong", 1, answer="x" * 500))
    assert said == "", said
"""


def writer(name, count):
    return subprocess.Popen([sys.executable, "-c", WRITER, str(name), str(count)], cwd=ROOT)


def test_forty_writers_lose_nothing(folder):
    writers = [writer(name, 5) for name in range(40)]
    assert [one.wait() for one in writers] == [0] * 40
    assert len(store.load().records) == 200
    assert files(folder) == [store.NAME]


def test_a_killed_writer_leaves_a_whole_file_and_no_litter(folder):
    folder.mkdir()
    (folder / ".progress-ab12.tmp").write_text("{")  # as earlier versions left it
    for trial in range(12):
        one = writer("a", 10_000)
        time.sleep(0.25 + 0.013 * trial)
        one.kill()
        one.wait()
        assert store.load().message == ""
        assert files(folder) in ([], [store.NAME], [".progress-ab12.tmp"])
    assert store.load().records
    assert store.save("02-where", Record("right", 1)) == ""
    assert files(folder) == [store.NAME]


def test_a_lock_that_is_never_free_is_said(folder, monkeypatch):
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    store.save("02-where", Record("right", 1))
    with (folder / f".{store.NAME}.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        message = store.save("02-rest", Record("right", 1))
    assert message == "Your progress cannot be kept: another program holds its file."
    assert list(store.load().records) == ["02-where"]


@pytest.mark.parametrize(
    "answer", ["\ud800", "Grüße", "=1+1", 10**3000, [1, [2]], float("inf")], ids=range(6)
)
def test_any_answer_comes_back(answer):
    assert store.save("02-where", Record("wrong", 1, answer=answer)) == ""
    assert store.load().records["02-where"].answer == answer


@pytest.mark.parametrize("answer", ["x" * 30_000, 10**5000, {1, 2}], ids=range(3))
def test_an_answer_that_cannot_be_kept_is_left_out(answer):
    assert store.save("02-where", Record("wrong", 1, answer=answer)) == ""
    assert store.load().records["02-where"] == Record("wrong", 1)


def test_progress_in_memory_writes_nothing(folder, monkeypatch):
    monkeypatch.setenv("CNNMEM_DATA", store.MEMORY)
    monkeypatch.setattr(store, "_IN_MEMORY", store.MemoryStore())
    Sitting(get("02-where")).check("fc1")
    assert store.load().records["02-where"].state == "right"
    assert store.reset() == "Progress of all lessons forgotten: 1 question."
    assert store.load().records == {}
    assert not folder.exists()
    assert not Path(store.MEMORY).exists()


def test_a_second_damaged_file_does_not_overwrite_the_first(folder):
    folder.mkdir()
    for text in ("one", "two"):
        (folder / store.NAME).write_text(text)
        store.load()
    assert (folder / "progress.damaged-1.json").read_text() == "one"
    assert (folder / "progress.damaged-2.json").read_text() == "two"


def test_the_message_about_a_damaged_file_reaches_the_learner(folder):
    folder.mkdir()
    (folder / store.NAME).write_text("{")
    sitting = Sitting(get("02-where"))
    assert sitting.check("fc1").state == "right"
    assert "set aside" in sitting.message
    assert store.load().records["02-where"].state == "right"


def test_a_lesson_goes_on_if_the_folder_cannot_be_created(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CNNMEM_DATA", str(tmp_path / "file" / "below"))
    sitting = Sitting(get("02-where"))
    assert sitting.check("fc1").state == "right"
    assert sitting.message.startswith("Your progress cannot be")


def test_reset_clears_one_lesson_or_all():
    for id in ("02-where", "02-rest", "03-kept"):
        store.save(id, Record("right", 1))
    assert store.reset("02") == "Progress of lesson 02 forgotten: 2 questions."
    assert list(store.load().records) == ["03-kept"]
    assert store.reset() == "Progress of all lessons forgotten: 1 question."
    assert store.load().records == {}


def test_progress_counts_right_and_tried_questions():
    Sitting(get("02-where")).check("fc1")
    Sitting(get("02-share")).check("1 %")
    of_lesson, of_series = progress("02"), progress()
    count = len(lesson("02").questions)
    assert of_lesson.text == f"lesson 02, VGG-16: 138 million: 1 of {count} right, 2 tried"
    assert len(of_series.text.splitlines()) == len(LESSONS)
    assert "<td" in of_lesson.children[0].value
    with pytest.raises(UnknownNameError):
        progress("99")


def test_a_notebook_never_stores_the_reader_s_progress():
    before = progress("02")._repr_mimebundle_()
    Sitting(get("02-where")).check("fc1")
    after = progress("02")._repr_mimebundle_()
    for key in ("text/plain", "text/html"):
        assert _data(before)[key] == _data(after)[key]


def _data(bundle):
    return bundle[0] if isinstance(bundle, tuple) else bundle


def test_the_folder_is_where_the_platform_keeps_user_data():
    home = Path("home")
    assert store.folder({"CNNMEM_DATA": "x"}, "linux", home) == Path("x")
    assert store.folder({}, "linux", home) == home / ".local" / "share" / "cnnmem"
    assert store.folder({}, "emscripten", home) == Path("/drive/cnnmem")
    assert store.folder({"XDG_DATA_HOME": "data"}, "linux", home) == Path("data/cnnmem")
    assert store.folder({"LOCALAPPDATA": "local"}, "win32", home) == Path("local/cnnmem")
    assert store.folder({}, "win32", home) == home / "AppData" / "Local" / "cnnmem"
    assert store.folder({}, "darwin", home).parts[-2:] == ("Application Support", "cnnmem")
