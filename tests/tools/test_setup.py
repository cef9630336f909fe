"""The kit around the package: one list of dependencies, a set-up that repairs itself, no leaks."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
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
MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def load(path):
    """Import a script of the repository."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Dependencies


def expand(extra):
    """Return the requirements of an extra, those of the extras it names among them."""
    for text in EXTRAS[extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            for inner in sorted(requirement.extras):
                yield from expand(inner)
        else:
            yield requirement


def test_the_core_has_no_dependencies():
    assert PROJECT["dependencies"] == []


def test_all_is_every_extra_but_those_with_other_counters():
    (all_extra,) = map(Requirement, EXTRAS["all"])
    assert all_extra.extras == EXTRAS.keys() - {"all", "audit", "bench"}


def test_environment_yml_agrees_with_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, with_pip = environment["dependencies"]
    assert environment["name"] == PROJECT["name"]
    assert SpecifierSet(python.removeprefix("python")) == SpecifierSet(PROJECT["requires-python"])
    assert pip == "pip"
    constraints, package = with_pip["pip"]
    assert constraints == "-c constraints.txt"
    extras = set(re.fullmatch(r"-e \.\[([\w,]+)\]", package)[1].split(","))
    assert extras == {"lab", "torch", "keras"} <= EXTRAS.keys()


def test_every_place_names_the_same_range_of_python():
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert [minor for minor in MINORS if minor in allowed] == ["3.11", "3.12", "3.13"]
    classifiers = {name.rsplit(" ", 1)[1] for name in PROJECT["classifiers"] if "Python ::" in name}
    assert classifiers == {"3.11", "3.12", "3.13"}
    for script in ("tools/find_python.sh", "tools/setup_venv.py"):
        text = (ROOT / script).read_text(encoding="utf-8")
        assert "(3, 11) <= " in text
        assert "< (3, 14)" in text


@pytest.mark.parametrize("extra", EXTRAS)
def test_constraints_pin_every_requirement_to_a_version_that_satisfies_it(extra):
    pinned = {canonicalize_name(pin.name): str(pin.specifier) for pin in CONSTRAINTS}
    for requirement in expand(extra):
        if (
            requirement.marker
            and "darwin" in str(requirement.marker)
            and not (requirement.marker.evaluate())
        ):
            continue  # the TensorFlow of the other platforms
        version = pinned[canonicalize_name(requirement.name)].removeprefix("==")
        assert requirement.specifier.contains(version), f"{requirement}: {version} is pinned"


def test_constraints_are_exact_versions_without_addresses_or_local_builds():
    for pin in CONSTRAINTS:
        assert re.fullmatch(r"==[\w.!]+", str(pin.specifier)), pin
        assert pin.url is None, pin
    assert len({canonicalize_name(pin.name) for pin in CONSTRAINTS}) == len(CONSTRAINTS)


@pytest.mark.parametrize("oldest", ["3.11.0", "3.12.0", "3.13.0"])
def test_every_pin_can_be_installed_by_the_first_release_of_each_python(oldest):
    # Debian 12 has 3.11.2: a version that asks for 3.11.5 leaves its users without a kit.
    checked, refused = 0, []
    for pin in CONSTRAINTS:
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


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_target_that_a_text_names_exists(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    code = re.findall(r"`([^`\n]+)`|^    (.+)$|^\s*step \S+ (.+)$", text, re.MULTILINE)
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join("".join(part) for part in code)))
    assert named, "the pattern finds no command: repair the test"
    assert named <= make_targets()


def test_every_file_that_the_readme_names_exists():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", readme)
    plain = re.findall(
        r"\b((?:notebooks/)?[\w.-]+\.(?:ipynb|yml|cff|txt))\b|\b(LICENSE\S*)\b", readme
    )
    for name in links + ["".join(part) for part in plain]:
        assert (ROOT / name).exists(), name


def test_the_readme_shows_the_commands_that_make_runs():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n\t", "")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for variable in ("unit_tests", "notebook_tests"):
        command = re.search(rf"^{variable} = \$\(PY\) (.+)$", makefile, re.MULTILINE)[1]
        assert command.replace("$(PYTEST_ARGS)", "").strip() in readme


def test_no_file_names_a_package_registry_or_a_path_of_this_machine():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
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


# The set-up, with the real Makefile, scripts and pip, on a package that needs no network


BACKEND = """
import zipfile

INFO = "cnnmem-0.1.0.dist-info"


def get_requires_for_build_editable(config_settings=None):
    return []


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "cnnmem-0.1.0-py3-none-any.whl"
    files = {
        "cnnmem_payload/__init__.py": "",
        "cnnmem_payload/data.txt": "payload",
        f"{INFO}/METADATA": "Metadata-Version: 2.1\\nName: cnnmem\\nVersion: 0.1.0\\n"
                            "Provides-Extra: all\\nProvides-Extra: lab\\n",
        f"{INFO}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\n"
                         "Tag: py3-none-any\\n",
    }
    record = "".join(f"{file},,\\n" for file in files) + f"{INFO}/RECORD,,\\n"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        for file, text in {**files, f"{INFO}/RECORD": record}.items():
            wheel.writestr(file, text)
    with open("pip-calls", "a") as log:
        log.write("installed\\n")
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


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A copy of the kit's set-up around a package of two files, set up once."""
    kit = Kit(tmp_path_factory.mktemp("kit"))
    shutil.copytree(ROOT / "tools", kit.root / "tools")
    shutil.copy(ROOT / "Makefile", kit.root)
    kit.write("pyproject.toml", LITTLE_PROJECT)
    kit.write("backend.py", BACKEND)
    kit.write("constraints.txt", "")
    kit.setup()
    return kit


@pytest.fixture
def kit(made):
    """The set-up copy, current whatever the test before has done to it."""
    made.setup()
    return made


class Kit:
    """Runs make in a copy of the kit. `setup-light` stands for both profiles: one code path."""

    def __init__(self, root):
        self.root = root
        self.venv = root / ".venv-light"
        self.python = self.venv / "bin" / "python"

    def write(self, name, text):
        (self.root / name).write_text(text, encoding="utf-8")

    def make(self, *arguments, **environment):
        clean = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("PIP_", "MAKE", "MFLAGS", "PYTHON", "TORCH_INDEX"))
        }  # fmt: skip
        return subprocess.run(
            ["make", *arguments], cwd=self.root, capture_output=True, text=True, timeout=300,
            stdin=subprocess.DEVNULL,
            env={**clean, "PYTHON": sys.executable, "PIP_NO_INDEX": "1", **environment},
        )  # fmt: skip

    def setup(self):
        done = self.make("setup-light")
        assert done.returncode == 0, done.stdout + done.stderr
        self.assert_works()
        return done.stdout

    def assert_works(self):
        code = "import cnnmem_payload as p; print(open(p.__path__[0] + '/data.txt').read())"
        done = subprocess.run([self.python, "-I", "-c", code], capture_output=True, text=True)
        assert done.stdout == "payload\n", done.stderr

    def installations(self):
        return len((self.root / "pip-calls").read_text().splitlines())

    @property
    def site(self):
        (folder,) = self.venv.glob("lib/python*/site-packages")
        return folder


def test_a_second_call_installs_nothing_and_says_nothing(kit):
    before = kit.installations()
    assert kit.setup() == ""
    assert kit.installations() == before


def test_new_requirements_are_installed_into_the_same_environment(kit):
    before, made_at = kit.installations(), (kit.venv / "pyvenv.cfg").stat().st_ino
    kit.write("constraints.txt", f"# changed after {before} installations\n")
    kit.setup()
    assert kit.installations() == before + 1
    assert (kit.venv / "pyvenv.cfg").stat().st_ino == made_at
    assert kit.setup() == ""


def a_python_that_does_not_run(kit):
    kit.python.unlink()
    kit.python.write_text("#!/nowhere/python\n")
    kit.python.chmod(0o755)


def a_python_that_is_gone(kit):
    kit.python.unlink()
    kit.python.symlink_to("/nowhere/python3")


def an_empty_folder(kit):
    shutil.rmtree(kit.venv)
    kit.venv.mkdir()


def a_file_of_a_package_gone(kit):
    (kit.site / "cnnmem_payload" / "data.txt").unlink()


def a_package_gone_that_pip_believes_in(kit):
    shutil.rmtree(kit.site / "cnnmem_payload")


def no_pip(kit):
    shutil.rmtree(kit.site / "pip")


def an_interrupted_set_up(kit):
    (kit.venv / "cnnmem-unfinished").touch()
    (kit.venv / "cnnmem-stamp.json").unlink()
    (kit.site / "cnnmem_payload" / "data.txt").write_text("pay")


def an_environment_moved_here_from_another_folder(kit):
    stamp = kit.venv / "cnnmem-stamp.json"
    stamp.write_text(stamp.read_text().replace(str(kit.root), "/nowhere"))


@pytest.mark.parametrize(
    "damage",
    [
        a_python_that_does_not_run,
        a_python_that_is_gone,
        an_empty_folder,
        a_file_of_a_package_gone,
        a_package_gone_that_pip_believes_in,
        no_pip,
        an_interrupted_set_up,
        an_environment_moved_here_from_another_folder,
    ],
    ids=lambda damage: damage.__name__,
)
def test_a_broken_environment_is_repaired(kit, damage):
    damage(kit)
    assert "It is made anew" in kit.setup()
    assert kit.setup() == ""


def test_a_set_up_that_fails_leaves_no_stamp_and_the_next_one_completes(kit):
    kit.write("constraints.txt", "this is no requirement\n")
    failed = kit.make("setup-light")
    assert failed.returncode != 0
    assert "The same make command tries again" in failed.stderr
    assert not (kit.venv / "cnnmem-stamp.json").exists()
    kit.write("constraints.txt", "")
    assert "is ready" in kit.setup()


def test_a_killed_set_up_is_repaired(kit):
    backend = (kit.root / "backend.py").read_text()
    kit.write("backend.py", "import os, signal\nos.kill(os.getpgid(0) * -1, signal.SIGKILL)\n")
    kit.write("constraints.txt", "# changed, to be killed\n")
    try:
        killed = subprocess.run(
            [sys.executable, "tools/setup_venv.py", str(kit.venv), "light"],
            cwd=kit.root, capture_output=True, start_new_session=True,
            env={**os.environ, "PIP_NO_INDEX": "1"},
        )  # fmt: skip
        assert killed.returncode < 0
        assert not (kit.venv / "cnnmem-stamp.json").exists()
    finally:
        kit.write("backend.py", backend)
    assert "interrupted" in kit.setup()


def test_a_folder_that_is_no_environment_is_not_deleted(kit):
    precious = kit.root / "thesis"
    precious.mkdir()
    (precious / "chapter1.txt").write_text("years of work")
    refused = kit.make("setup-light", "VENV_LIGHT=thesis")
    assert refused.returncode != 0
    assert "not a virtual environment" in refused.stderr
    assert (precious / "chapter1.txt").read_text() == "years of work"


def fake_python(folder, name, version):
    """Write a program that answers as Python does when asked whether it is suitable."""
    program = folder / name
    program.write_text(
        f"#!{sys.executable} -I\nimport sys\nsys.version_info = {version}\n"
        'exec(sys.argv[sys.argv.index("-c") + 1])\n'
    )
    program.chmod(0o755)


def find_python(folder, **environment):
    path = f"{folder}:/usr/bin:/bin"
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "find_python.sh")],
        capture_output=True, text=True, env={"PATH": path, **environment},
    )  # fmt: skip


def test_an_unsuitable_python3_is_passed_over(tmp_path):
    fake_python(tmp_path, "python3", (3, 14, 0))
    fake_python(tmp_path, "python3.13", (3, 13, 2))
    assert find_python(tmp_path).stdout == "python3.13\n"


def test_a_shim_that_leads_nowhere_is_passed_over(tmp_path):
    for name in ("python3", "python3.13"):
        (tmp_path / name).write_text("#!/bin/sh\necho command not found >&2\nexit 127\n")
        (tmp_path / name).chmod(0o755)
    fake_python(tmp_path, "python3.12", (3, 12, 1))
    assert find_python(tmp_path).stdout == "python3.12\n"


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_no_suitable_python_is_said_clearly(tmp_path, version):
    fake_python(tmp_path, "old-or-new", version)
    found = find_python(tmp_path, PYTHON="old-or-new")
    assert found.returncode != 0
    assert found.stdout == ""
    assert "3.11, 3.12 or 3.13" in found.stderr
    assert f"old-or-new: is Python 3.{version[1]}" in found.stderr


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
