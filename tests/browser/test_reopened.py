"""A notebook opened again shows pictures where widgets are gone, and sliders where they live."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from controls import open_rest, press
from jupyter import (
    READY,
    Browser,
    Page,
    Server,
    clear_outputs,
    open_notebook,
    run_all,
    wait_for_idle,
    write,
)

from conftest import NOTEBOOKS

pytestmark = pytest.mark.browser

WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
WRONG = ("model not found", "Error displaying widget", "Loading widget")
LESSON = NOTEBOOKS[0]
KERNEL = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
SLIDER = "from cnnmem.widgets import explore\nexplore('vgg16')"


def outputs(notebook: Any) -> list[dict[str, Any]]:
    """Return what the cells of a notebook display, in all its forms."""
    return [
        output["data"]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "data" in output
    ]


def stored(server: Server, name: str) -> list[dict[str, Any]]:
    return outputs(json.loads((server.folder / name).read_text()))


def offered(server: Server, name: str) -> int:
    """Return how many widgets the server offers to a page that opens a notebook."""
    model = server.api(f"contents/{name}?type=notebook&content=1")
    return sum(WIDGET in data for data in outputs(model["content"]))


def assert_pictures(page: Page, server: Server, name: str) -> None:
    """Fail unless all stored pictures are shown with alt texts, and no widget is missing."""
    pictures = sum(
        "".join(data.get("text/html", "")).count("<img ") for data in stored(server, name)
    )
    images = page.locator(".jp-OutputArea-output img")
    page.wait_for_function(
        "n => document.querySelectorAll('.jp-OutputArea-output img').length === n",
        arg=pictures,
        timeout=READY,
    )
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
    for i in range(pictures):
        images.nth(i).scroll_into_view_if_needed()
        assert images.nth(i).evaluate("img => img.complete && img.naturalWidth") >= 400
        assert len(images.nth(i).get_attribute("alt") or "") > 40
    text = page.locator(".jp-Notebook").inner_text()
    for wrong in WRONG:
        assert wrong not in text


def command(page: Page, name: str, **arguments: Any) -> None:
    page.evaluate(
        "([name, given]) => window.jupyterapp.commands.execute(name, given)", [name, arguments]
    )


def reload(page: Page) -> None:
    """Reload the page, as F5 does."""
    page.reload()
    page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.context?.isReady", timeout=READY
    )
    wait_for_idle(page)


def step(page: Page) -> None:
    open_rest(page)
    explorer = page.locator(".cnnmem-explorer").first
    explorer.wait_for(timeout=READY)
    press(page, explorer, explorer.locator(".noUi-handle").first, "ArrowRight")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_stored_notebook_shows_pictures_before_it_is_run(
    name: str, server: Server, browser: Browser
) -> None:
    open_notebook(browser.page, server, name)
    assert_pictures(browser.page, server, name)
    browser.assert_clean()


def test_a_saved_notebook_shows_pictures_when_it_is_opened_again(
    server: Server, browser: Browser, artefacts: Path
) -> None:
    name, page = "reopened.ipynb", browser.page
    shutil.copy(server.folder / LESSON, server.folder / name)
    open_notebook(page, server, name)
    clear_outputs(page)
    run_all(page)
    question = page.locator(".cnnmem-question p").first.inner_text()
    command(page, "docmanager:save")
    assert sum(WIDGET in data for data in stored(server, name)) > 1  # a save loses nothing
    command(page, "notebook:shutdown-kernel")
    command(page, "application:close")
    assert server.api("sessions") == []
    assert page.locator(".jp-Notebook").count() == 0

    command(page, "docmanager:open", path=name)
    page.locator(".jp-Notebook").wait_for()
    wait_for_idle(page)
    assert_pictures(page, server, name)
    assert question in page.locator(".jp-Notebook").inner_text()
    page.screenshot(path=str(artefacts / "reopened.png"))
    # Now a kernel runs, but it does not know the widgets.
    reload(page)
    assert_pictures(page, server, name)
    # JupyterLab does not warn that the file has changed on disk.
    run_all(page)
    step(page)
    command(page, "docmanager:save")
    assert page.locator(".jp-Dialog").count() == 0
    assert sum(WIDGET in data for data in stored(server, name)) > 1
    browser.assert_clean()


def test_sliders_work_after_a_reload_while_the_kernel_lives(
    server: Server, browser: Browser
) -> None:
    page = browser.page
    open_notebook(page, server, write(server, "kept.ipynb", SLIDER))
    run_all(page)
    command(page, "docmanager:save")
    reload(page)
    step(page)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.rename('renamed.ipynb')")
    open_notebook(page, server, "renamed.ipynb")
    step(page)
    browser.assert_clean()


def test_a_page_gets_only_live_widgets_and_the_file_keeps_all(
    server: Server, browser: Browser
) -> None:
    page = browser.page
    name = write(server, "offered.ipynb", "import time", SLIDER, SLIDER)
    open_notebook(page, server, name)
    run_all(page)
    command(page, "docmanager:save")
    assert offered(server, name) == 2
    # A busy kernel cannot be asked, so the widgets that it may know are kept.
    page.evaluate(f"() => void {KERNEL}.requestExecute({{code: 'time.sleep(6)'}})")
    assert offered(server, name) == 2
    wait_for_idle(page)
    page.evaluate(f"() => {KERNEL}.restart()")
    wait_for_idle(page)
    assert offered(server, name) == 0
    for model in (
        server.api(f"contents/{name}"),  # what the server copies, converts and signs
        server.api(f"contents/{name}?type=file"),  # a download
    ):
        content = model["content"]
        notebook = json.loads(content) if isinstance(content, str) else content
        assert sum(WIDGET in data for data in outputs(notebook)) == 2
    assert sum(WIDGET in data for data in stored(server, name)) == 2
    # A widget whose state is stored (a setting of JupyterLab) needs no kernel.
    notebook = json.loads((server.folder / name).read_text())
    known = next(data[WIDGET]["model_id"] for data in outputs(notebook) if WIDGET in data)
    notebook["metadata"]["widgets"] = {STATE: {"state": {known: {}}}}
    (server.folder / name).write_text(json.dumps(notebook))
    assert offered(server, name) == 1


def test_after_a_restart_no_old_verdict_stands_beside_a_new_answer(
    server: Server, browser: Browser
) -> None:
    page = browser.page
    ask = "from cnnmem.lessons import ask, predict\nask('02-two-sizes')"
    open_notebook(page, server, write(server, "restarted.ipynb", ask, "predict('02-where')"))
    run_all(page)
    question, guess = page.locator(".cnnmem-question"), page.locator(".cnnmem-prediction")
    question.locator("input[type=radio]").first.check()
    question.get_by_role("button", name="Check").click()
    question.get_by_text("Wrong.").wait_for()
    guess.locator("input[type=radio]").first.check()
    guess.get_by_role("button", name="Predict").click()
    guess.get_by_text("Noted").wait_for()
    page.evaluate(f"() => {KERNEL}.restart()")
    wait_for_idle(page)
    for one in (question, guess):
        one.get_by_text("The kernel was restarted").wait_for()
        assert not one.locator(".cnnmem-said").is_visible()
    run_all(page)
    assert "kept" in guess.locator("[role=status]").inner_text()  # the guess survived
    assert guess.locator("input[type=radio]").first.is_checked()
    assert "Wrong" not in question.inner_text()
    browser.assert_clean()
