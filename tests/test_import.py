"""`import cnnmem` is light: only the standard library, in milliseconds."""

import ast
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

import cnnmem

HEAVY = ("numpy", "matplotlib", "ipywidgets", "torch", "tensorflow", "keras", "pandas", "IPython")
PACKAGE = Path(cnnmem.__file__).parent
ROOMS = ("model", "count", "published")  # and the modules beside them
CORE = [
    *sorted(PACKAGE.glob("*.py")),
    *(f for r in ROOMS for f in sorted((PACKAGE / r).rglob("*.py"))),
]


def loaded_by(code):
    """Return the heavy packages that a fresh process has loaded after running the code."""
    ask = f"{code}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return run.stdout.split("\n")[-2].split()


def test_importing_the_package_imports_nothing_heavy():
    assert loaded_by("import cnnmem") == []


def test_counting_totalling_and_reconciling_import_nothing_heavy():
    code = (
        "import cnnmem\n"
        "table = cnnmem.summary('vgg16')\n"
        "str(table), table._repr_html_(), table.to_csv(), table.explain('conv1_1')\n"
        "cnnmem.reconcile(table.total('tensors'), cnnmem.published.get('cs231n-93'))\n"
        "cnnmem.training.training_step(table), cnnmem.overflow.parameters_by_size('vgg16')(224)\n"
        "from cnnmem.__main__ import main\n"
        "main(['list'])"
    )
    assert loaded_by(code) == []


def test_every_public_name_is_listed_and_can_be_imported():
    code = (
        "import cnnmem\n"
        "assert set(cnnmem.__all__) <= set(dir(cnnmem))\n"
        "from cnnmem import *\n"
        "assert summary('vgg16').params == 138357544\n"
        "assert zoo.vgg16 and units.MB and layers.Conv2d and Builder and Count"
    )
    assert loaded_by(code) == []


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'cnnmem' has no attribute 'nothing'"):
        cnnmem.nothing  # noqa: B018


def test_the_core_has_its_rooms():
    names = {str(file.relative_to(PACKAGE)) for file in CORE}
    assert {
        "errors.py",
        "model/layers/learned.py",
        "count/table.py",
        "published/numbers.py",
    } <= names


@pytest.mark.parametrize("file", CORE, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_the_core_imports_only_the_standard_library(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    at_once = []  # imported on loading: outside functions and `if TYPE_CHECKING`
    todo = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            at_once += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            at_once.append(node.module)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            todo += node.body + node.orelse
        elif isinstance(node, ast.Try):
            todo += node.body
    packages = {module.partition(".")[0] for module in at_once} - {"cnnmem"}
    assert packages <= sys.stdlib_module_names


def test_the_core_runs_where_nothing_else_is_installed():
    modules = [
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for file in CORE
    ]
    code = (
        "import sys\n"
        "sys.path[:] = [p for p in sys.path if 'site-packages' not in p]\n"
        f"sys.path.append({str(PACKAGE.parent)!r})\n"
        f"for name in {modules!r}:\n"
        "    __import__(name)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _seconds(code):
    start = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return perf_counter() - start


def test_importing_takes_at_most_50_ms_more_than_bare_python():
    # the best of many alternating runs: a busy machine slows some of them, not all
    bare, full = [], []
    for _ in range(15):
        bare.append(_seconds("pass"))
        full.append(_seconds("import cnnmem"))
        if len(full) >= 5 and min(full) - min(bare) <= 0.050:
            break
    assert min(full) - min(bare) <= 0.050
