"""Make a virtual environment with the kit in it, or see in a moment that it is there already.

    python tools/setup_venv.py .venv full           everything: what `make lab` and `make test` use
    python tools/setup_venv.py .venv-light light    JupyterLab without the two frameworks

The environment ends in one of three states, and each call first finds out which one it met:

current   its stamp names today's requirements, and no installed file is missing: nothing is done;
stale     it is whole, but was made for other requirements: pip brings it up to date;
broken    anything else (interrupted, moved, emptied, its Python gone): it is made anew.

The stamp is written last, so an interrupted set-up leaves none. Standard library only: this runs
before anything is installed.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Profile(NamedTuple):
    """What an environment holds: extras of the kit, and packages of which only themselves."""

    extras: str
    without_dependencies: tuple[str, ...]


# torchvision is an oracle of the tests alone. Its own list of dependencies could only repeat what
# the extras bring already, or bring a second torch.
PROFILES = {"full": Profile("all", ("torchvision",)), "light": Profile("lab", ())}
STAMP = "cnnmem-stamp.json"  # what was installed
UNFINISHED = "cnnmem-unfinished"  # there while an installation runs
VENV_ENTRIES = {
    *("bin", "etc", "include", "lib", "lib64", "share", "Include", "Lib", "Scripts"),
    *("pyvenv.cfg", ".gitignore", "CACHEDIR.TAG", STAMP, UNFINISHED),
}

# Run by the environment's own Python. Prints its version, then every file that an installed
# package claims and that is not there.
INSPECT = """
import os, sys, sysconfig
import pip
print(sys.version_info[0], sys.version_info[1])
site = sysconfig.get_paths()["purelib"]
for entry in sorted(os.listdir(site)):
    if entry.endswith(".dist-info"):
        record = os.path.join(site, entry, "RECORD")
        if not os.path.exists(record):
            print(record)
            continue
        with open(record, encoding="utf-8") as lines:
            for line in lines:
                name = line.rsplit(",", 2)[0].strip('"')
                if not name.endswith(".pyc") and not os.path.exists(os.path.join(site, name)):
                    print(os.path.join(site, name))
"""


def venv_python(venv: Path) -> Path:
    """The interpreter inside the environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def wanted(venv: Path, profile: str) -> dict[str, str]:
    """What the stamp of a finished set-up says: where it is, and what was asked of pip."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = json.dumps(
        [project["build-system"], project["project"], PROFILES[profile]], sort_keys=True
    )
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return {
        "profile": profile,
        "venv": str(venv),
        "project": str(ROOT),
        "requirements": hashlib.sha256((asked + constraints).encode()).hexdigest(),
    }


def defect(venv: Path) -> str | None:
    """Why the environment has to be made anew, or None."""
    if (venv / UNFINISHED).exists():
        return "an earlier set-up was interrupted"
    if not (venv / "pyvenv.cfg").exists():
        return "it has no pyvenv.cfg"
    try:
        found = subprocess.run(
            [venv_python(venv), "-I", "-c", INSPECT], capture_output=True, text=True, timeout=120
        )
    except (OSError, subprocess.TimeoutExpired):
        return "its Python does not run"
    if found.returncode != 0:
        return "its Python does not run, or has no pip"
    version, *missing = found.stdout.splitlines()
    major, minor = map(int, version.split())
    if not (3, 11) <= (major, minor) < (3, 14):
        return f"it holds Python {major}.{minor}"
    if os.environ.get("PYTHON") and (major, minor) != sys.version_info[:2]:
        return f"it holds Python {major}.{minor}, and PYTHON asks for another"
    if missing:
        return f"{len(missing)} installed files are gone, {missing[0]} first"
    stamp = read_stamp(venv)
    if stamp and (stamp["venv"], stamp["project"]) != (str(venv), str(ROOT)):
        return f"it was made for {stamp['project']}"
    return None


def read_stamp(venv: Path) -> dict[str, str] | None:
    """The stamp of a finished set-up; None without one."""
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fields = {"profile", "venv", "project", "requirements"}
    return stamp if isinstance(stamp, dict) and fields <= stamp.keys() else None


def remove(venv: Path) -> None:
    """Delete the environment, but never a folder that holds something else."""
    foreign = sorted(entry.name for entry in venv.iterdir() if entry.name not in VENV_ENTRIES)
    if foreign and not (venv / "pyvenv.cfg").exists():
        sys.exit(f"{venv} is not a virtual environment (it holds {foreign[0]}): not touched.")
    shutil.rmtree(venv)


def run(step: str, *command: str | Path) -> None:
    """Run one step in sight of the user."""
    print(f"\n==> {step}", flush=True)
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True)


def install(venv: Path, profile: str) -> None:
    """Everything the profile asks for, with the versions of constraints.txt."""
    python = venv_python(venv)
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "-c",
        "constraints.txt",
    ]
    extras, alone_packages = PROFILES[profile]
    torch_index = os.environ.get("TORCH_INDEX")
    if profile == "full" and torch_index:
        # From this index torch itself and nothing else: the other packages have one source.
        run("torch, from TORCH_INDEX", *pip, "--no-deps", "--index-url", torch_index, "torch")
    run(f"cnnmem with the extras [{extras}]", *pip, "-e", f".[{extras}]")
    if alone_packages:
        run(", ".join(alone_packages), *pip, "--no-deps", *alone_packages)


@contextlib.contextmanager
def alone(venv: Path) -> Iterator[None]:
    """Let a second set-up of the same environment wait for the first (not on Windows)."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(f"{venv}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"Waiting for another set-up of {venv} to end ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(venv: Path, profile: str) -> None:
    """Bring the environment to the state `current`, from whatever it is."""
    target = wanted(venv, profile)
    if venv.exists():
        why = defect(venv)
        if why:
            print(f"{venv} cannot be used: {why}. It is made anew.", flush=True)
            remove(venv)
        elif read_stamp(venv) == target:
            return
    if not venv.exists():
        version = ".".join(map(str, sys.version_info[:3]))
        # Where the environment itself is active, sys.executable has just been removed.
        base = getattr(sys, "_base_executable", sys.executable)
        venv.mkdir(parents=True)
        (venv / UNFINISHED).touch()
        run(f"{venv.name} with Python {version}", base, "-m", "venv", venv)
    (venv / UNFINISHED).touch()
    (venv / STAMP).unlink(missing_ok=True)
    try:
        install(venv, profile)
    except subprocess.CalledProcessError as error:
        if error.returncode > 0:  # pip gave up by itself (no network, say) and left no half package
            (venv / UNFINISHED).unlink()
        raise
    (venv / STAMP).write_text(json.dumps(target, indent=2) + "\n", encoding="utf-8")
    (venv / UNFINISHED).unlink()
    print(f"\n{venv.name} is ready.\n", flush=True)


def main(arguments: list[str]) -> None:
    """Read the two arguments."""
    if len(arguments) != 2 or arguments[1] not in PROFILES:
        sys.exit(f"usage: setup_venv.py FOLDER {'|'.join(PROFILES)}")
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        sys.exit("cnnmem needs Python 3.11 to 3.13 (TensorFlow has no wheel for 3.14 yet).")
    venv = Path(arguments[0]).resolve()
    try:
        with alone(venv):
            set_up(venv, arguments[1])
    except subprocess.CalledProcessError as error:
        command = " ".join(error.cmd)
        sys.exit(f"\nThe set-up failed at: {command}\nThe same make command tries again.")
    except KeyboardInterrupt:
        sys.exit("\nThe set-up was interrupted. The same make command starts it again.")


if __name__ == "__main__":
    main(sys.argv[1:])
