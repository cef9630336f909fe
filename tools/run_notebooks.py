"""Run the notebooks in fresh kernels and store their outputs in a normal form.

    python tools/run_notebooks.py                      run all of notebooks/, in place
    python tools/run_notebooks.py notebooks/02-*.ipynb
    python tools/run_notebooks.py --normalise          only tidy the files, run nothing
    python tools/run_notebooks.py --check              write nothing, report problems

The stored form holds outputs and nothing that changes from run to run or from machine to machine:
no widget state, no timestamps, no version of the kernel's Python. A cell that fails or writes to
stderr is an error, and the file stays as it was.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
CELL_TIMEOUT = 300  # seconds
MAY_RAISE = {"raises-exception", "nbval-raises-exception"}  # tags of cells that show an error
VOLATILE = ("execution", "ExecuteTime", "collapsed", "scrolled", "trusted")  # of a cell's metadata


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every cell in a fresh kernel whose working directory is `folder`."""
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        allow_errors=True,  # `problems` reports them all
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def normalise(notebook: NotebookNode) -> None:
    """Drop what must not be stored, in place."""
    notebook.metadata = NotebookNode(
        kernelspec={
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        language_info={"name": "python"},
    )
    for cell in notebook.cells:
        for key in VOLATILE:
            cell.metadata.pop(key, None)


def problems(notebook: NotebookNode) -> list[str]:
    """Return what a learner should not meet: errors, stderr, cells not run or out of order."""
    found = []
    expected_count = 0
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        expected_count += 1
        if cell.execution_count != expected_count:
            found.append(f"cell {number} was not run in order from a fresh kernel")
        for output in cell.outputs:
            if output.output_type == "error" and not MAY_RAISE & set(cell.metadata.get("tags", [])):
                found.append(f"cell {number} raised {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"cell {number} wrote to stderr: {output.text.strip()[:300]}")
    return found


def write(notebook: NotebookNode, path: Path) -> None:
    """Replace the file in one step, so that an interruption leaves the old one."""
    text = as_text(notebook)
    if path.read_text(encoding="utf-8") == text:
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def as_text(notebook: NotebookNode) -> str:
    """Return the file's text, with the final newline that editors expect."""
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


def process(path: Path, mode: str) -> list[str]:
    """Process a notebook as `mode` says and return its problems; such a run is not saved."""
    notebook = nbformat.read(path, as_version=4)
    if mode == "run":
        execute(notebook, path.parent)
    normalise(notebook)
    found = problems(notebook)
    if mode == "check" and as_text(notebook) != path.read_text(encoding="utf-8"):
        found.append("holds widget state or other data that must not be stored; run make format")
    if mode == "normalise" or (mode == "run" and not found):
        write(notebook, path)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Process the notebooks named, or all; return 1 if one has a problem."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    modes = parser.add_mutually_exclusive_group()
    for mode, text in (("check", "only report"), ("normalise", "only tidy, run nothing")):
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=text)
    options = parser.parse_args(arguments)

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    failed = False
    for path in options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
        found = process(path, options.mode or "run")
        failed |= bool(found)
        print(f"{path.name}: {'; '.join(found) or 'in order'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
