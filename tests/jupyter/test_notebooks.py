"""The lessons come with the package: in a real wheel, in a fresh environment, offline."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from cnnmem.__main__ import main
from cnnmem.errors import CnnmemError
from cnnmem.jupyter import notebooks

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


def test_every_lesson_is_copied_unchanged(tmp_path):
    copied = notebooks.copy(tmp_path / "my" / "lessons")
    assert list(copied.new) == LESSONS
    assert len(LESSONS) > 2
    for name in LESSONS:
        assert (copied.folder / name).read_bytes() == (ROOT / "notebooks" / name).read_bytes()


def test_a_students_work_is_never_overwritten(tmp_path, capsys):
    notebooks.copy(tmp_path)
    (tmp_path / LESSONS[0]).write_text("my answers")
    (tmp_path / LESSONS[1]).unlink()
    (tmp_path / LESSONS[2]).unlink()
    (tmp_path / LESSONS[2]).mkdir()  # a folder of that name stays too
    assert main(["notebooks", "copy", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / LESSONS[0]).read_text() == "my answers"
    assert (tmp_path / LESSONS[1]).is_file()
    assert (tmp_path / LESSONS[2]).is_dir()
    assert f"1 copied, {len(LESSONS) - 3} there already" in printed
    kept = printed.split("were kept as they are:")[1]
    assert LESSONS[0] in kept
    assert LESSONS[2] in kept
    assert LESSONS[1] not in kept


def test_a_link_is_not_followed_to_a_file_elsewhere(tmp_path):
    (tmp_path / LESSONS[0]).symlink_to(tmp_path / "elsewhere")
    copied = notebooks.copy(tmp_path)
    assert copied.kept == (LESSONS[0],)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_gives_an_error_of_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(CnnmemError, match="cannot copy the notebooks to"):
        notebooks.copy(tmp_path / "file")
    assert main(["notebooks", "copy", str(tmp_path / "file")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy of the sources, with the installed hatchling."""
    source = tmp_path_factory.mktemp("source")
    for name in ("cnnmem", "notebooks"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.tmp")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-texts"):
        shutil.copy(ROOT / name, source)
    checkpoints = source / "notebooks" / ".ipynb_checkpoints"
    checkpoints.mkdir(exist_ok=True)
    (checkpoints / "00-start-here-checkpoint.ipynb").write_text("not for others")
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out, cwd=source)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_lessons_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    data = sorted(Path(name).name for name in names if name.startswith("cnnmem/_notebooks/"))
    assert data == LESSONS
    assert {name.split("/")[0].split("-")[0] for name in names} == {"cnnmem"}
    assert "cnnmem/py.typed" in names


def test_a_fresh_environment_gets_the_lessons_from_the_wheel(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_"))}
    run(scripts / "python", "-m", "pip", "install", "--no-index", "--quiet", wheel, env=clean)
    printed = run(scripts / "cnnmem", "notebooks", "copy", "mine", cwd=tmp_path, env=clean)
    assert f"mine: {len(LESSONS)} copied" in printed
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == LESSONS
    # counted by the installed package
    row = run(scripts / "python", "-m", "cnnmem", "summary", "vgg16", cwd=tmp_path, env=clean)
    assert "138,357,544" in row


def test_a_full_disk_leaves_no_half_file(tmp_path, monkeypatch):
    written = []

    def copyfile(ours, theirs):
        written.append(theirs)
        theirs.write_bytes(ours.read_bytes()[:1000])
        if len(written) == 2:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(notebooks.shutil, "copyfile", copyfile)
        with pytest.raises(CnnmemError, match="No space left on device"):
            notebooks.copy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == LESSONS[:1]
    (tmp_path / LESSONS[0]).unlink()
    assert list(notebooks.copy(tmp_path).new) == LESSONS


@pytest.mark.parametrize("name", ["", " "])
def test_a_folder_without_a_name_is_refused(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["notebooks", "copy", name]) == 2
    assert "the folder has no name" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_is_said_in_one_sentence(tmp_path):
    (tmp_path / "home").write_text("no folder")
    names = {"HOME": str(tmp_path / "home"), "JUPYTER_CONFIG_DIR": "", "JUPYTER_DATA_DIR": ""}
    environment = {name: value for name, value in {**os.environ, **names}.items() if value}
    done = subprocess.run(
        [sys.executable, "-m", "cnnmem.jupyter.home"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("JupyterLab cannot write its settings to")
    assert done.stderr.count("\n") == 1
