"""Turn every notebook into slides with speaker notes: slides/NN-name.slides.html (make slides).

Code is hidden, charts are large, and each question of the lesson has a note for the lecturer: the
solution, the wrong answers that come up and what to say to them. Everything the slides load lies
beside them, so they work without a network: reveal.js comes from the npm registry once.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from cnnmem.lessons import get

ROOT = Path(__file__).resolve().parent.parent
REVEAL = "reveal.js@4.6.1"
START = """
<style>
.reveal .slides section { text-align: left; }
.reveal .slides section img { width: 100%; max-height: none; margin: 0; }
.reveal .jp-RenderedHTMLCommon { font-size: 30px; }
.reveal .jp-RenderedHTMLCommon pre, .reveal .jp-RenderedText pre { font-size: 22px; }
.reveal .slides section table { font-size: 18px; }
.reveal .slides section pre { width: 100%; box-shadow: none; }
</style>
<script src="reveal.js/dist/reveal.js"></script>
<script src="reveal.js/plugin/notes/notes.js"></script>
<script>
Reveal.initialize({controls: true, progress: true, slideNumber: "c/t", transition: "none",
  hash: true, center: false, width: 1280, height: 720, margin: 0.04, plugins: [RevealNotes]});
Reveal.on("ready", fit);
Reveal.on("slidechanged", fit);
// slides longer than the screen scroll
function fit(event) {
  const slide = event.currentSlide;
  slide.style.maxHeight = "100%";
  slide.style.overflowY = slide.scrollHeight > 720 ? "auto" : "visible";
}
</script>
"""
WIDGET = "application/vnd.jupyter.widget-view+json"
QUESTION = re.compile(r'\b(?:ask|predict)\("([\w-]+)"\)')
TIME = re.compile(r"\*\*Time:\*\*\s*(.+)")


def note(question_id: str) -> str:
    """Return the lecturer's note on a question, as Markdown."""
    question = get(question_id)
    lines = [
        f"**Ask the room:** {question.statement}",
        f"**Solution:** {question.show(question.solution)}. {question.why}",
        "**What comes up, and what to say:**",
    ]
    lines += [f"- {question.show(slip.answer)}: {slip.hint}" for slip in question.known]
    return "\n\n".join(lines[:3]) + "\n\n" + "\n".join(lines[3:])


def pages(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells as slides: a heading starts one, an output starts one below it."""
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for part in re.split(r"(?m)^(?=#{1,2} )", cell.source):
                if part.strip():
                    kind = "slide" if part.startswith("#") else "-"
                    cells.append(_markdown(part, kind))
                    if time := TIME.search(part):
                        cells.append(_markdown(f"**Minutes:** {time[1]}", "notes"))
            continue
        cell = NotebookNode(cell)
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET, None)  # the picture stands in for the live chart
        cell.metadata = {"slideshow": {"slide_type": "subslide" if cell.outputs else "skip"}}
        cells.append(cell)
        cells += [_markdown(note(found), "notes") for found in QUESTION.findall(cell.source)]
    return cells


def _markdown(source: str, kind: str) -> NotebookNode:
    return new_markdown_cell(source, id="x", metadata={"slideshow": {"slide_type": kind}})


def convert(notebook: NotebookNode, title: str) -> str:
    """Return the slides of a notebook as an HTML page that loads reveal.js from beside it."""
    deck = nbformat.v4.new_notebook(metadata={**notebook.metadata, "title": title})
    deck.cells = pages(notebook)
    for i, cell in enumerate(deck.cells):
        cell.id = f"cell-{i}"
    exporter = SlidesExporter(
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        reveal_url_prefix="reveal.js",
        reveal_theme="white",
    )
    page, _ = exporter.from_notebook_node(deck)
    return offline(page)


def offline(page: str) -> str:
    """Replace the template's scripts, which load from the network, with reveal.js beside the page.

    The scripts serve formulas and live widgets, which slides do not have.
    """
    page = re.sub(r"<script\b.*?</script>", "", page, flags=re.S)
    page = re.sub(r'<link[^>]+href="https?://[^"]+"[^>]*>', "", page)
    return page.replace("</body>", f"{START}</body>")


def fetch_reveal(folder: Path) -> None:
    """Install reveal.js beside the slides if it is missing."""
    target = folder / "reveal.js"
    if (target / "LICENSE").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("make slides needs npm (Node.js) once, to fetch reveal.js; install it")
    subprocess.run(
        [
            npm,
            "install",
            "--no-save",
            "--no-package-lock",
            "--silent",
            "--prefix",
            folder,
            REVEAL,
        ],
        check=True,
    )
    package = folder / "node_modules" / "reveal.js"
    for part in ("dist", "plugin"):
        shutil.copytree(package / part, target / part, dirs_exist_ok=True)
    shutil.copy(package / "LICENSE", target / "LICENSE")
    shutil.rmtree(folder / "node_modules")


def main() -> None:
    """Write the slides of all notebooks, or of those named on the command line."""
    folder = ROOT / "slides"
    folder.mkdir(exist_ok=True)
    fetch_reveal(folder)
    paths = [Path(arg) for arg in sys.argv[1:]] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        target = folder / f"{path.stem}.slides.html"
        target.write_text(convert(notebook, path.stem), encoding="utf-8")
        print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
