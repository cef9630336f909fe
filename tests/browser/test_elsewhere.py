"""Other ways to open a lesson: in Notebook 7, in two tabs, with another, after a killed kernel."""

from __future__ import annotations

import json
import time
from io import BytesIO
from pathlib import Path

import pytest
from controls import drag, enter, open_rest, press
from jupyter import (
    READY,
    Browser,
    Chromium,
    Page,
    Server,
    clear_outputs,
    fresh_page,
    open_notebook,
    output_errors,
    run_all,
    wait_for_idle,
    write,
)
from PIL import Image
from twins import check, drawn

from conftest import NOTEBOOKS

pytestmark = pytest.mark.browser

FIRST = NOTEBOOKS[0]
MARKUP = '<img src=x onerror="document.title=1"><b>fc</b> & "1"'


def step(page: Page, i: int = 0) -> None:
    """Move the first slider of an explorer by a step, and check what the explorer shows."""
    open_rest(page)
    explorer = page.locator(".cnnmem-explorer").nth(i)
    press(page, explorer, explorer.locator(".noUi-handle").first, "ArrowRight")


def test_notebook_7_runs_a_lesson(
    notebook_server: Server, browser: Browser, artefacts: Path
) -> None:
    page = browser.page
    open_notebook(page, notebook_server, FIRST, "notebooks")
    clear_outputs(page)
    run_all(page)
    assert output_errors(page) == []
    open_rest(page)
    explorer = page.locator(".cnnmem-explorer").first
    handle, box = (
        explorer.locator(".noUi-handle").first,
        explorer.locator("input[type=number]").first,
    )
    # Notebook takes the arrow keys before a slider sees them; these keys are left.
    for key in ("PageUp", "PageDown", "End", "Home"):
        press(page, explorer, handle, key)
    drag(page, explorer, handle)
    enter(page, explorer, box, "67")
    page.screenshot(path=str(artefacts / "notebook-7.png"))
    # Notebook logs this error about its own settings on every page.
    browser.errors = [error for error in browser.errors if "reading 'schema'" not in error]
    browser.assert_clean()


def test_after_a_killed_kernel_run_all_works_again(server: Server, browser: Browser) -> None:
    page = browser.page
    open_notebook(page, server, FIRST)
    clear_outputs(page)
    run_all(page)
    step(page)
    page.evaluate(
        """() => {
            const {kernel} = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
            kernel.requestExecute({code: 'import os; os.kill(os.getpid(), 9)'});
        }"""
    )
    # Jupyter notices, says so, and restarts the kernel.
    page.locator(".jp-Dialog", has_text="restart").get_by_role("button", name="Ok").click(
        timeout=READY
    )
    wait_for_idle(page)
    run_all(page)
    assert output_errors(page) == []
    assert page.get_by_text("Error displaying widget").count() == 0
    step(page)
    browser.assert_clean()


def test_two_tabs_on_one_notebook(server: Server, running: Chromium) -> None:
    with fresh_page(running) as first:
        open_notebook(first.page, server, FIRST)
        clear_outputs(first.page)
        run_all(first.page)
        second = first.watch(first.page.context.new_page())
        # In its own workspace, as two tabs of JupyterLab cannot share one.
        second.goto(f"{server.url}/lab/workspaces/two/tree/{FIRST}?token={server.token}")
        second.wait_for_function(
            "() => window.jupyterapp?.shell?.currentWidget?.context?.isReady", timeout=READY
        )
        wait_for_idle(second)
        run_all(second)
        for page in (first.page, second, first.page, second):
            page.bring_to_front()
            open_rest(page)
            if page.locator(".cnnmem-explorer").count():
                step(page)
        assert second.locator(".cnnmem-explorer").count() > 0
        assert output_errors(second) == []
        first.assert_clean()


# The patterns that drawings use: does each belong to its drawing, and what colour is it?
PATTERNS = """drawings => drawings.flatMap(drawing => {
    const users = [...drawing.querySelectorAll('[fill^="url(#"]')];
    return [...new Set(users.map(user => user.getAttribute('fill').slice(5, -1)))].map(id => {
        const pattern = document.getElementById(id);
        const colour = getComputedStyle(pattern.querySelector('rect')).fill.match(/[0-9]+/g);
        return {own: drawing.contains(pattern), colour: colour.map(Number)};
    });
})"""


def test_two_lessons_in_one_jupyterlab_both_show_their_patterns(
    server: Server, browser: Browser, artefacts: Path
) -> None:
    code = "from cnnmem.widgets import over_time\nover_time('vgg16').set(what='adam')"
    first, second = (write(server, f"patterns-{i}.ipynb", code) for i in (1, 2))
    page = browser.page
    open_notebook(page, server, first)
    run_all(page)
    page.evaluate(
        "path => void window.jupyterapp.commands.execute('docmanager:open', {path})", second
    )
    page.wait_for_function(
        """path => {
            const {context} = window.jupyterapp.shell.currentWidget;
            return context?.path === path && context.isReady;
        }""",
        arg=second,
        timeout=READY,
    )
    wait_for_idle(page)
    run_all(page)
    drawings = page.locator(".cnnmem-wide svg")
    assert drawings.count() == 2
    ids = drawings.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids)) >= 2
    used = drawings.evaluate_all(PATTERNS)
    assert [pattern["own"] for pattern in used] == [True] * len(used) != []
    # They are painted too: their colours are in a picture of the drawing in front.
    (shown,) = drawings.locator("visible=true").all()
    shown.scroll_into_view_if_needed()
    picture = Image.open(BytesIO(shown.screenshot(path=str(artefacts / "patterns.png"))))
    painted = {colour: pixels for pixels, colour in picture.convert("RGB").getcolors(10**6)}
    for pattern in used:
        assert painted.get(tuple(pattern["colour"]), 0) > 500
    browser.assert_clean()


def test_markup_in_names_is_shown_as_text(server: Server, browser: Browser) -> None:
    name = write(
        server,
        "markup.ipynb",
        f"""
from cnnmem.model.layers import Conv2d, Flatten, Linear
from cnnmem.model.network import Network
from cnnmem import summary
from cnnmem.widgets import explore, over_time
MARKUP = {MARKUP!r}
layers = {{"conv " + MARKUP: Conv2d(8, 3), "flat": Flatten(), MARKUP: Linear(10)}}
mine = Network.chain(MARKUP, layers, (16, 16, 3))
explore(mine, size=16).set(table=True)
""",
        "summary(mine)",
        "print(summary(mine))",
    )
    page = browser.page
    open_notebook(page, server, name)
    run_all(page)
    assert output_errors(page) == []
    explorer = page.locator(".cnnmem-explorer")
    names = explorer.locator(".cnnmem-wide .bar").evaluate_all(
        "all => all.map(bar => bar.dataset.name)"
    )
    assert names[1:] == [f"conv {MARKUP}", MARKUP]
    assert MARKUP in explorer.locator(".cnnmem-readout").inner_text()
    assert MARKUP in explorer.locator("table").inner_text()
    assert MARKUP in page.locator(".jp-OutputArea-output").nth(1).inner_text()
    assert page.locator(".jp-OutputArea-output b, .jp-OutputArea-output img").count() == 0
    assert page.title() != "1"
    browser.assert_clean()


def rss(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024 / 1e6


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_minute_of_dragging_leaks_no_memory(
    server: Server, browser: Browser, artefacts: Path
) -> None:
    name = write(
        server,
        "minute.ipynb",
        "import os\nprint(os.getpid())",
        "from cnnmem.widgets import explore\n"
        "explore('densenet201', size=224, stack='feature maps').set(table=True)",
    )
    page = browser.page
    open_notebook(page, server, name)
    run_all(page)
    kernel = int(page.locator(".jp-OutputArea-output").first.inner_text())
    explorer = page.locator(".cnnmem-explorer")
    handle = explorer.locator(".noUi-handle").first
    tools = page.context.new_cdp_session(page)

    def memory() -> dict[str, float]:
        page.wait_for_timeout(1000)
        tools.send("HeapProfiler.collectGarbage")
        heap = tools.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        nodes = tools.send("Memory.getDOMCounters")["nodes"]
        return {"kernel MB": rss(kernel), "page heap MB": heap, "nodes": nodes}

    def pull(seconds: float) -> int:
        handle.scroll_into_view_if_needed()
        box, rail = handle.bounding_box(), handle.locator("xpath=../..").bounding_box()
        assert box
        assert rail
        x, y, way, seen = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 3.0, set()
        page.mouse.move(x, y)
        page.mouse.down()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not rail["x"] + 8 < x + way < rail["x"] + rail["width"] - 8:
                way = -way
            x += way
            page.mouse.move(x, y)
            page.wait_for_timeout(15)
            seen.add(drawn(explorer))
        page.mouse.up()
        wait_for_idle(page)
        return len(seen)

    assert pull(10) > 20  # sees every size once, so that the caches are full
    before = memory()
    assert pull(60) > 50
    after = memory()
    (artefacts / "memory.json").write_text(json.dumps({"before": before, "after": after}))
    assert after["kernel MB"] - before["kernel MB"] < 15
    assert after["page heap MB"] - before["page heap MB"] < 5
    assert after["nodes"] < 1.1 * before["nodes"] + 500
    check(explorer)
    browser.assert_clean()
