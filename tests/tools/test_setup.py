"""The kit around the package: one list of dependencies, a set-up that repairs itself, no leaks."""

import importlib.util
import os
import re
import shutil
import signal as signals
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONSTRAINTS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
MINORS = ("3.11", "3.12", "3.13", "3.14", "3.15")


def load(path):
    """Import a script of the repository."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Dependencies


def expand(extra):
    """Yield the requirements of an extra, including those of the extras it names."""
    for text in EXTRAS[extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            for inner in sorted(requirement.extras):
                yield from expand(inner)
        else:
            yield requirement


def test_the_core_has_no_dependencies():
    assert PROJECT["dependencies"] == []


def test_all_includes_every_extra_except_those_with_other_counters():
    (all_extra,) = map(Requirement, EXTRAS["all"])
    assert all_extra.extras == EXTRAS.keys() - {"all", "audit", "bench"}


def applies(requirement, python, system="linux", machine="x86_64"):
    """Return whether a requirement's marker holds for a Python ("3.14") on a system."""
    minor = ".".join(python.split(".")[:2])
    environment = {"python_version": minor, "sys_platform": system, "platform_machine": machine}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def test_environment_yml_agrees_with_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, with_pip = environment["dependencies"]
    assert environment["name"] == PROJECT["name"]
    # TensorFlow has no wheels for 3.14; conda and Binder choose a Python that has them.
    assert python == f"python{PROJECT['requires-python']},<3.14"
    assert pip == "pip"
    constraints, package = with_pip["pip"]
    assert constraints == "-c constraints.txt"
    extras = set(re.fullmatch(r"-e \.\[([\w,]+)\]", package)[1].split(","))
    assert extras == {"lab", "torch", "keras"} <= EXTRAS.keys()


def test_every_place_names_the_same_oldest_python():
    assert PROJECT["requires-python"] == ">=3.11"
    classifiers = {name.rsplit(" ", 1)[1] for name in PROJECT["classifiers"] if "Python ::" in name}
    assert classifiers == set(MINORS[:-1])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "sys.exit(sys.version_info < (3, 11))" in makefile


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("python", MINORS)
def test_constraints_pin_every_requirement_to_a_version_that_satisfies_it(python, extra):
    pinned = {
        canonicalize_name(pin.name): str(pin.specifier)
        for pin in CONSTRAINTS
        if applies(pin, python)
    }
    for requirement in expand(extra):
        if applies(requirement, python):
            version = pinned[canonicalize_name(requirement.name)].removeprefix("==")
            assert requirement.specifier.contains(version), f"{requirement}: {version} is pinned"


@pytest.mark.parametrize(
    ("python", "system", "machine", "frameworks"),
    [
        ("3.11", "linux", "x86_64", {"h5py", "keras", "tensorflow-cpu", "torch"}),
        ("3.13", "darwin", "arm64", {"h5py", "keras", "tensorflow", "torch"}),
        ("3.13", "linux", "aarch64", {"h5py", "keras", "tensorflow", "torch"}),
        ("3.14", "linux", "x86_64", {"h5py", "keras", "torch"}),
        ("3.15", "linux", "x86_64", set()),
    ],
)
def test_a_python_gets_the_frameworks_that_have_wheels_for_it(python, system, machine, frameworks):
    wanted = [*expand("torch"), *expand("keras")]
    assert {one.name for one in wanted if applies(one, python, system, machine)} == frameworks


def test_constraints_are_exact_versions_without_addresses_or_local_builds():
    for pin in CONSTRAINTS:
        assert re.fullmatch(r"==[\w.!]+", str(pin.specifier)), pin
        assert pin.url is None, pin
    for python in MINORS:
        names = [canonicalize_name(pin.name) for pin in CONSTRAINTS if applies(pin, python)]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("oldest", ["3.11.0", "3.12.0", "3.13.0", "3.14.0"])
def test_every_pin_can_be_installed_by_the_first_release_of_each_python(oldest):
    # Debian 12 has 3.11.2: a package that needs 3.11.5 would leave its users without the kit.
    checked, refused = 0, []
    for pin in CONSTRAINTS:
        if not applies(pin, f"{sys.version_info[0]}.{sys.version_info[1]}"):
            continue
        try:
            installed = distribution(pin.name)
        except PackageNotFoundError:
            continue  # the counters of `audit` and `bench`, which `all` leaves out
        checked += 1
        needed = installed.metadata["Requires-Python"] or ""
        if oldest not in SpecifierSet(needed):
            refused.append(f"{pin.name} {installed.version} needs Python {needed}")
    assert checked > 100
    assert refused == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", "environment.yml"])
def test_dependency_files_hold_no_url(name):
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_citation_names_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


# What the texts promise


def make_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))


@pytest.mark.parametrize(
    "name", ["README.md", "docs/installation.md", "CHANGELOG.md", "CONTRIBUTING.md", ".ci/run"]
)
def test_every_make_target_named_in_a_text_exists(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    code = re.findall(r"`([^`\n]+)`|^    (.+)$|^\s*step \S+ (.+)$", text, re.MULTILINE)
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join("".join(part) for part in code)))
    assert named, "the pattern finds no command: repair the test"
    assert named <= make_targets()


@pytest.mark.parametrize("name", ["README.md", "docs/installation.md"])
def test_every_file_named_in_a_text_exists(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    plain = re.findall(
        r"\b((?:notebooks/)?[\w.-]+\.(?:ipynb|yml|cff|txt|toml))\b|\b(LICENSE\S*)\b",
        re.sub(r"\[[^]]*\]\([^)]+\)", "", text),
    )
    assert links, "the pattern finds no link: repair the test"
    assert plain, "the pattern finds no file: repair the test"
    for link in links:
        assert (ROOT / name).parent.joinpath(link).exists(), link
    for file in map("".join, plain):
        assert (ROOT / file).exists(), file


def test_the_readme_has_the_two_commands_and_leads_to_the_other_ways():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n    make lab " in readme
    assert "\n    make test " in readme
    assert "](docs/installation.md)" in readme


def test_the_page_on_installation_shows_the_commands_that_make_runs():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n\t", "")
    page = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    for variable in ("unit_tests", "notebook_tests"):
        command = re.search(rf"^{variable} = \$\(PY\) (.+)$", makefile, re.MULTILINE)[1]
        assert command.replace("$(PYTEST_ARGS)", "").strip() in page
    for options in ('-e ".[all]"', "--no-deps torchvision", "--no-deps --index-url"):
        assert options in makefile
        assert options in page


def test_no_file_names_a_package_registry_or_a_path_of_this_machine():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    # Written in two parts, so that this file does not name them either.
    hosts = [
        *("pypi" + ".org", "python" + "hosted", "download.py" + "torch", "npm" + "js."),
        *("conda" + ".anaconda", "deb.deb" + "ian", "proxy.go" + "lang"),
    ]
    paths = ["/home" + "/", "/ro" + "ot/", "/opt" + "/", "/wo" + "rk/", "/Use" + "rs/", str(ROOT)]
    pattern = re.compile("|".join(map(re.escape, hosts + paths)))
    files = [ROOT / name for name in listed.stdout.splitlines()]
    assert len(files) > 10
    for file in files:
        if file.suffix not in {".png", ".pdf"} and file.is_file():
            found = pattern.search(file.read_text(encoding="utf-8"))
            assert not found, f"{file.relative_to(ROOT)} holds {found[0]}"


# The set-up: the real Makefile, venv and pip, with a package that needs no network


BACKEND = """
import pathlib, zipfile

INFO = "cnnmem-0.1.0.dist-info"


def get_requires_for_build_editable(config_settings=None):
    return []


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    exec(pathlib.Path("while-pip-runs.py").read_text())
    name = "cnnmem-0.1.0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\\nName: cnnmem\\nVersion: 0.1.0\\nProvides-Extra: lab\\n"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr("cnnmem_payload.py", "payload = 'whole'")
        wheel.writestr(f"{INFO}/METADATA", metadata)
        wheel.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{INFO}/RECORD", "cnnmem_payload.py,,\\n")
    return name
"""
LITTLE_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "cnnmem"
version = "0.1.0"
"""
REBUILT, READY = "==> building .venv-light", "==> .venv-light is ready"


class Kit:
    """Runs make in a copy of the kit; its folder has a space in its name."""

    def __init__(self, folder):
        self.root = folder / "a kit"
        self.root.mkdir()
        shutil.copy(ROOT / "Makefile", self.root)
        self.write("pyproject.toml", LITTLE_PROJECT)
        self.write("constraints.txt", "")
        self.write("backend.py", BACKEND)
        self.write("while-pip-runs.py", "")

    @property
    def venv(self):
        return self.root / ".venv-light"

    def write(self, name, text):
        (self.root / name).write_text(text, encoding="utf-8")

    def make(self, *arguments, **environment):
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PIP_", "MAKE", "MFLAGS", "PYTHON", "TORCH_INDEX", "VIRTUAL"))
        }
        return subprocess.run(
            ["make", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            # what a shell runs in the background ignores SIGINT, and so would make
            preexec_fn=lambda: signals.signal(signals.SIGINT, signals.SIG_DFL),
            env={**inherited, "PYTHON": sys.executable, "PIP_NO_INDEX": "1", **environment},
        )

    def set_up(self, **environment):
        """Run the set-up to its end and return what it printed."""
        done = self.make("setup-light", **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        code = "import cnnmem_payload; print(cnnmem_payload.payload)"
        python = self.venv / "bin" / "python"
        assert subprocess.check_output([python, "-I", "-c", code], text=True) == "whole\n"
        return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The copy, set up for the first time."""
    kit = Kit(tmp_path_factory.mktemp("kit"))
    assert REBUILT in kit.set_up()
    return kit


@pytest.fixture
def kit(made):
    """The copy, up to date again after whatever the previous test did to it."""
    made.write("while-pip-runs.py", "")
    made.set_up()
    return made


def test_a_current_environment_is_left_alone(kit):
    assert kit.set_up() == ""


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_new_requirements_are_installed_into_the_same_environment(kit, name):
    kit.write(name, (kit.root / name).read_text() + "# changed\n")
    output = kit.set_up()
    assert REBUILT not in output
    assert READY in output
    assert kit.set_up() == ""


@pytest.mark.parametrize("signal", ["SIGINT", "SIGKILL"])
def test_an_interrupted_update_is_repaired_by_the_same_command(kit, signal):
    kill = f"import os, signal; os.killpg(0, signal.{signal})"
    kit.write("while-pip-runs.py", kill)
    kit.write("constraints.txt", f"# changed, then {signal}\n")
    assert kit.make("setup-light").returncode != 0
    leftover = kit.venv / "half a package"
    leftover.touch()
    kit.write("while-pip-runs.py", "")
    assert REBUILT in kit.set_up()
    assert not leftover.exists()


def test_a_failed_update_is_repaired_by_the_same_command(kit):
    kit.write("constraints.txt", "this is not a requirement\n")
    failed = kit.make("setup-light")
    assert failed.returncode != 0
    assert "this is not a requirement" in failed.stderr
    kit.write("constraints.txt", "")
    assert REBUILT in kit.set_up()


def test_a_moved_folder_is_noticed(kit):
    kit.root = kit.root.rename(kit.root.with_name("a moved kit"))
    assert REBUILT in kit.set_up()


def a_python_that_is_gone(kit):
    (kit.venv / "bin" / "python").unlink()


def a_python_of_another_version(kit):
    (site,) = kit.venv.glob("lib/python*/site-packages")
    site.parent.rename(site.parent.with_name("python3.10"))


@pytest.mark.parametrize("damage", [a_python_that_is_gone, a_python_of_another_version])
def test_an_environment_whose_python_does_not_work_is_rebuilt(kit, damage):
    damage(kit)
    assert REBUILT in kit.set_up()


def test_an_active_environment_rebuilds_itself(kit):
    (kit.venv / "cnnmem-stamp").unlink()
    active = f"{kit.venv / 'bin'}:{os.environ['PATH']}"
    assert REBUILT in kit.set_up(PYTHON="", PATH=active)
    assert (kit.venv / "bin" / "python").resolve().exists()


@pytest.mark.skipif(not shutil.which("flock"), reason="macOS has no flock, so no lock")
def test_two_set_ups_at_once_do_not_disturb_each_other(kit):
    (kit.venv / "cnnmem-stamp").unlink()
    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(lambda _: kit.set_up(), range(2)))
    assert sorted(REBUILT in output for output in outputs) == [False, True]


# The set-up with a fake Python, which records what it is asked to do


PACKAGES = ["torch==2.13.0+cpu", "prompt_toolkit==3.0.53", "Jinja2==3.1.6"]


def fake_python(folder, name, version=(3, 12, 1), missing=""):
    """Write a program that answers and makes environments as a Python of this version would."""
    program = folder / name
    program.write_text(
        f"#!{sys.executable} -I\n"
        "import os, pathlib, shutil, sys\n"
        f"sys.version_info, PACKAGES = {version}, {PACKAGES}\n"
        f"sys.modules.update(dict.fromkeys({missing.split()}))\n"
        "if sys.argv[1] == '-c': exec(sys.argv[2])\n"
        "elif sys.argv[1] == '-V': print('Python', *sys.version_info)\n"
        "elif sys.argv[3] == 'list': print(*PACKAGES, sep='\\n')\n"
        "else: print(pathlib.Path(sys.argv[0]).name, *sys.argv[1:])\n"
        "if sys.argv[2] == 'venv':\n"
        "    os.makedirs('.venv/bin', exist_ok=True)\n"
        "    shutil.copy(sys.argv[0], '.venv/bin/python')\n"
    )
    program.chmod(0o755)
    return str(program)


def empty_shim(folder, name):
    """Write what a version manager leaves where a version is missing."""
    (folder / name).write_text("#!/bin/sh\necho command not found >&2\nexit 127\n")
    (folder / name).chmod(0o755)


PYTHONS = ("python3", "python3.14", "python3.13", "python3.12", "python3.11", "python")


@pytest.fixture
def fake(tmp_path):
    """A copy of the kit that is not set up, and a folder of Pythons that leads the path."""
    kit = Kit(tmp_path)
    kit.pythons = tmp_path / "pythons"
    kit.pythons.mkdir()
    for name in PYTHONS:
        empty_shim(kit.pythons, name)
    kit.path = f"{kit.pythons}:{os.environ['PATH']}"
    return kit


@pytest.mark.parametrize("name", PYTHONS)
def test_empty_shims_are_skipped(fake, name):
    fake_python(fake.pythons, name)
    done = fake.make("setup", PYTHON="", PATH=fake.path)
    assert f"{name} -m venv --clear .venv\n" in done.stdout


@pytest.mark.parametrize(
    "unsuitable",
    [{"version": (3, 10, 9)}, {"missing": "ensurepip"}],
    ids=["too old", "Debian without python3-venv"],
)
def test_an_unsuitable_python_is_skipped_or_refused_with_the_way_out(fake, unsuitable):
    first = fake_python(fake.pythons, "python3", **unsuitable)
    for arguments in ({"PYTHON": "", "PATH": fake.path}, {"PYTHON": first}):
        refused = fake.make("setup", **arguments)
        assert refused.returncode != 0
        assert refused.stdout == ""
        for part in ("3.11 or newer", "Debian, Ubuntu: with python3-venv", "make lab PYTHON="):
            assert part in refused.stderr
        assert not (fake.root / ".venv").exists()
    fake_python(fake.pythons, "python3.13", (3, 13, 2))
    done = fake.make("setup", PYTHON="", PATH=fake.path)
    assert "python3.13 -m venv" in done.stdout


def test_python_also_chooses_the_interpreter_of_an_existing_environment(fake):
    fake_python(fake.pythons, "python3")
    other = fake_python(fake.pythons, "python3.11", (3, 11, 2))
    assert "python3 -m venv" in fake.make("setup", PYTHON="", PATH=fake.path).stdout
    assert fake.make("setup", PYTHON=str(fake.pythons / "python3")).stdout == ""
    assert "python3.11 -m venv --clear .venv" in fake.make("setup", f"PYTHON={other}").stdout


def pip_calls(output):
    return [
        line.partition("constraints.txt ")[2] for line in output.splitlines() if " pip " in line
    ]


def test_a_full_set_up_installs_torchvision_without_its_dependencies(fake):
    done = fake.make("setup", PYTHON=fake_python(fake.pythons, "python3"))
    assert pip_calls(done.stdout) == ["-e .[all]", "--no-deps torchvision"]


@pytest.mark.parametrize(
    ("version", "said", "calls"),
    [
        ((3, 13, 0), "", ["-e .[all]", "--no-deps torchvision"]),
        ((3, 14, 0), "without TensorFlow (Keras", ["-e .[all]", "--no-deps torchvision"]),
        ((3, 15, 0), "without PyTorch, Keras and TensorFlow", ["-e .[all]"]),
    ],
)
def test_a_set_up_says_what_a_new_python_has_no_wheels_for(fake, version, said, calls):
    done = fake.make("setup", PYTHON=fake_python(fake.pythons, "python3", version))
    assert ("==> set up without" in done.stdout) == bool(said)
    assert said in done.stdout
    assert pip_calls(done.stdout) == calls


def test_only_torch_comes_from_torch_index(fake):
    python = fake_python(fake.pythons, "python3")
    done = fake.make("setup", "TORCH_INDEX=file:///torch index", PYTHON=python)
    assert pip_calls(done.stdout) == [
        "--no-deps --index-url file:///torch index torch",
        "-e .[all]",
        "--no-deps torchvision",
    ]


def test_freeze_writes_names_and_versions_below_the_header(fake):
    kept = '# The head.\ntorch==2.12.0; python_version < "3.12"\n'
    fake.write("constraints.txt", f"{kept}old==1.0\n")
    done = fake.make("freeze", PYTHON=fake_python(fake.pythons, "python3"))
    assert done.returncode == 0, done.stderr
    pins = (fake.root / "constraints.txt").read_text()
    assert pins == f"{kept}jinja2==3.1.6\nprompt-toolkit==3.0.53\n"


# Notebooks in their stored form


def notebook(*sources, **metadata):
    nbformat = pytest.importorskip("nbformat").v4
    return nbformat.new_notebook(
        cells=[nbformat.new_code_cell(source) for source in sources], metadata=metadata
    )


@pytest.fixture
def tool():
    return load(ROOT / "tools" / "run_notebooks.py")


def save(path, book):
    import nbformat

    nbformat.write(book, path)
    return path


def test_a_run_stores_outputs_and_no_widget_state(tool, tmp_path):
    book = notebook("1 + 1", widgets={"state": {}})
    book.cells[0].metadata["execution"] = {"iopub.status.busy": "2020-01-01"}
    path = save(tmp_path / "a.ipynb", book)
    assert tool.main(["--check", str(path)]) == 1
    assert tool.main([str(path)]) == 0
    text = path.read_text()
    assert '"2"' in text
    assert "widgets" not in text
    assert "iopub" not in text
    assert tool.main(["--check", str(path)]) == 0


@pytest.mark.parametrize("source", ["1 / 0", "import sys; print('careful', file=sys.stderr)"])
def test_a_run_that_fails_leaves_the_file_as_it_was(tool, tmp_path, capsys, source):
    path = save(tmp_path / "a.ipynb", notebook("1", source))
    before = path.read_bytes()
    assert tool.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert "cell 2" in capsys.readouterr().out


def test_a_notebook_run_out_of_order_is_reported(tool, tmp_path, capsys):
    book = notebook("1", "2")
    book.cells[0].execution_count, book.cells[1].execution_count = 2, 1
    assert tool.main(["--check", str(save(tmp_path / "a.ipynb", book))]) == 1
    assert "not run in order" in capsys.readouterr().out


def test_every_notebook_of_the_kit_is_in_its_stored_form(tool, capsys):
    assert tool.main(["--check"]) == 0, capsys.readouterr().out


# The end of CI


def summarise(tmp_path, capsys, **logs):
    steps = []
    for name, (status, text) in logs.items():
        (tmp_path / f"{name}.log").write_text(text)
        steps.append(f"{name} {status} 1\n")
    (tmp_path / "steps").write_text("".join(steps))
    status = load(ROOT / ".ci" / "summary.py").main(tmp_path, 7)
    return status, capsys.readouterr().out.splitlines()[-1]


def test_ci_adds_up_the_closing_lines(tmp_path, capsys):
    logs = {
        "lint": (0, "All checks passed!\n"),
        "test": (
            0,
            "=== 12 passed, 1 skipped in 0.5s ===\n== 3 passed, 1 warning in 61.2s (0:01:01) ==\n",
        ),
    }
    assert summarise(tmp_path, capsys, **logs) == (
        0,
        "===== 15 passed, 1 skipped, 1 warnings in 7.00s =====",
    )


def test_ci_fails_with_any_step(tmp_path, capsys):
    logs = {"lint": (1, "E501 too long\n"), "test": (0, "==== 12 passed in 0.5s ====\n")}
    assert summarise(tmp_path, capsys, **logs) == (1, "===== 12 passed, 1 errors in 7.00s =====")


def test_ci_counts_pytest_failures_once(tmp_path, capsys):
    logs = {
        "test": (2, "==== 2 failed, 12 passed in 0.5s ====\nmake: *** [Makefile:1: test] Error 1\n")
    }
    assert summarise(tmp_path, capsys, **logs) == (1, "===== 2 failed, 12 passed in 7.00s =====")
