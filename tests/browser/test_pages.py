"""Every lesson as a page without code: live in Voila, and as an HTML file without a kernel.

axe-core checks both. The requests that the templates of Voila and nbconvert make are named here;
Chromium cannot resolve them in these tests, so the pages must work without them.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from axe import violations
from controls import move_one, open_rest
from jupyter import Browser, Server
from nbconvert import HTMLExporter
from playwright.sync_api import Page

from conftest import NOTEBOOKS, ROOT

pytestmark = pytest.mark.browser

WIDGET = "application/vnd.jupyter.widget-view+json"
EXECUTED = 240_000  # milliseconds for Voila to run a lesson with both frameworks
# Voila's template: the icons of buttons, which the kit does not use
VOILA_ASKS = "https://cdn.jsdelivr.net/npm/@fortawesome/"
# nbconvert's template: the loader of widgets (the file holds none) and the typesetting of formulas
NBCONVERT_ASKS = "https://cdnjs.cloudflare.com/ajax/libs/"


def assert_only_asked_for(browser: Browser, address: str) -> None:
    """Fail on any other request to the outside, and on any error not caused by that one."""
    assert [url for url in browser.outside if not url.startswith(address)] == []
    assert [error for error in browser.errors if f"({address}" not in error] == []


def reach_by_tab(page: Page) -> list[str]:
    """Press Tab once round the page; return (part of ours, its control) in order, -1 elsewhere."""
    seen = []
    for _ in range(400):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => {
                const at = document.activeElement;
                if (at === document.body || at.dataset.tabbed) return null;
                at.dataset.tabbed = 'yes';
                const own = at.closest('.cnnmem-explorer, .cnnmem-question, .cnnmem-prediction');
                const all = own ? [...own.querySelectorAll(
                    '.noUi-handle, select, input, textarea, button, summary')] : [];
                const owners = [...document.querySelectorAll(
                    '.cnnmem-explorer, .cnnmem-question, .cnnmem-prediction')];
                return [owners.indexOf(own), all.indexOf(at)];
            }"""
        )
        if here is None:
            break
        seen.append(here)
    return seen


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_voila_shows_live_explorers_and_no_code(
    name: str, voila_server: Server, browser: Browser, artefacts: Path
) -> None:
    page = browser.page
    page.goto(f"{voila_server.url}/voila/render/{name}", timeout=EXECUTED)
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    live = [output for output in outputs if WIDGET in output.get("data", {})]
    made = page.locator(".cnnmem-explorer, .cnnmem-question, .cnnmem-prediction")
    page.wait_for_function(
        "count => document.querySelectorAll('.cnnmem-explorer, .cnnmem-question, "
        ".cnnmem-prediction, .cnnmem-veil, .cnnmem-head, .cnnmem-progress, "
        ".cnnmem-waiting').length >= count",
        arg=len(live),
        timeout=EXECUTED,
    )
    assert made.count() > 0
    assert page.locator(".highlight pre, .CodeMirror, .cm-editor").count() == 0
    assert page.get_by_text("Traceback (most recent call last)").count() == 0
    assert page.get_by_text("Error displaying widget").count() == 0
    open_rest(page)
    explorers = page.locator(".cnnmem-explorer")
    for i in range(explorers.count()):
        move_one(page, explorers.nth(i))
    assert violations(page) == []
    # Tab reaches the controls of each part in the order on the page.
    page.evaluate("() => { document.activeElement?.blur(); window.getSelection().empty(); }")
    page.mouse.click(2, 2)
    tabbed = [tuple(at) for at in reach_by_tab(page) if at[0] >= 0]
    assert tabbed == sorted(tabbed)
    assert {owner for owner, _ in tabbed} == set(range(made.count()))
    page.screenshot(path=str(artefacts / f"{Path(name).stem}-voila.png"), full_page=True)
    assert_only_asked_for(browser, VOILA_ASKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_without_a_kernel_can_be_read_offline(
    name: str, browser: Browser, artefacts: Path, tmp_path: Path
) -> None:
    path = tmp_path / "lesson.html"
    text, _ = HTMLExporter(exclude_input=True).from_filename(str(ROOT / "notebooks" / name))
    path.write_text(text, encoding="utf-8")
    page = browser.page
    page.goto(path.as_uri())
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    stored = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = sum(
        "".join(output.get("data", {}).get("text/html", "")).count("<img ") for output in stored
    )
    images = page.locator("img")
    assert images.count() == pictures
    hidden = page.locator("details:not([open])")  # what follows a question
    assert hidden.count() > 0
    assert hidden.locator("img").count() > 0
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
    for i in range(pictures):
        images.nth(i).scroll_into_view_if_needed()
        assert images.nth(i).evaluate("img => img.complete && img.naturalWidth") >= 400
        assert len(images.nth(i).get_attribute("alt") or "") > 40
    shown = " ".join(page.locator("body").inner_text().split())
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for heading in cell.source.splitlines():
                if heading.startswith("#"):
                    plain = heading.lstrip("# ").replace("*", "").replace("`", "")
                    assert plain in shown
        for output in cell.get("outputs", []):
            words = " ".join("".join(output.get("text", "")).split())
            assert words in shown
            views = output.get("data", {})
            if WIDGET in views:  # a question or an explorer
                assert "text/html" in views
                form = "".join(views["text/html"])
                if not form or "</summary><img" in form:
                    continue  # a bar that is done; a picture, counted above
                lines = "".join(views["text/plain"]).splitlines()
                first = lines[lines[0].startswith("[hidden")].removeprefix("Predict: ")
                assert " ".join(first.split()) in shown
    assert page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.screenshot(path=str(artefacts / f"{Path(name).stem}-static.png"), full_page=True)
    assert_only_asked_for(browser, NBCONVERT_ASKS)
