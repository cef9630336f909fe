"""Photograph the first explorer in JupyterLab for the README: figures/screenshot.png."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from jupyter import chromium, clear_outputs, jupyterlab, open_notebook, run_all  # type: ignore[import-untyped]

NOTEBOOK = "02-vgg16-138-million.ipynb"


def main() -> None:
    """Run the notebook, bring the explorer into view and save the picture."""
    with (
        tempfile.TemporaryDirectory() as home,
        jupyterlab(ROOT / "notebooks", Path(home)) as server,
        chromium(1280, 860) as browser,
    ):
        page = browser.page
        open_notebook(page, server, NOTEBOOK)
        clear_outputs(page)
        run_all(page)
        explorer = page.locator(".cnnmem-explorer").first
        explorer.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        page.screenshot(path=str(ROOT / "figures" / "screenshot.png"))


if __name__ == "__main__":
    main()
