"""Every notebook in JupyterLab, in a real browser: run all, move every control, look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jupyter import Browser, Server, clear_outputs, open_notebook, output_errors, run_all
from playwright.sync_api import Locator, Page

from cnnmem.widgets import bridge, explore, over_time

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
STEP = 10_000  # milliseconds until a control must have had its effect

# What the explorers say is computed once more here, from the settings that the page shows.
FACTORIES: dict[str, Any] = {
    "Layers explorer": explore,
    "Reconciliation explorer": lambda: bridge(
        numbers=("cs231n-60", "cs231n-93", "torchinfo-vgg16", "torchstat-vgg16")
    ),
    "Memory over time": over_time,
}


def settings_of(explorer: Locator) -> dict[str, Any]:
    """Return the settings that an explorer on the page was last drawn with."""
    return json.loads(explorer.locator("[data-settings]").get_attribute("data-settings") or "{}")


def wait_for_change(page: Page, explorer: Locator, before: str) -> None:
    """Wait until an explorer was drawn with other settings than before."""
    handle = explorer.locator("[data-settings]").element_handle()
    page.wait_for_function(
        "([element, root, before]) => root.querySelector('[data-settings]')"
        "?.getAttribute('data-settings') !== before",
        arg=[handle, explorer.element_handle(), before],
        timeout=STEP,
    )


def drawn(explorer: Locator) -> str:
    """Return the attribute that tells one drawing from the next."""
    return explorer.locator("[data-settings]").get_attribute("data-settings") or ""


def check_readout(explorer: Locator) -> None:
    """Compare what the page says with what the explorer says in this process."""
    title = explorer.locator("[data-explorer]").get_attribute("data-explorer") or ""
    if title not in FACTORIES:
        return
    settings = settings_of(explorer)
    twin = FACTORIES[title]()
    message = explorer.locator(".cnnmem-message").inner_text().strip()
    twin.set(**{k: v for k, v in settings.items() if k != "convention"})
    if "convention" in settings:
        twin.set(convention=settings["convention"])
    assert message == twin.message
    if not message:
        said = explorer.locator(".cnnmem-readout").inner_text()
        assert " ".join(said.split()) == " ".join(twin.readout.split())
        names = explorer.locator("rect.bar").evaluate_all(
            "bars => bars.map(bar => bar.getAttribute('data-name'))"
        )
        assert names == [bar["name"] for bar in twin.bars]


def move_sliders(page: Page, explorer: Locator) -> int:
    """Move every slider by a step and to both ends with the keyboard."""
    handles = explorer.locator(".noUi-handle")
    for i in range(handles.count()):
        for key in ("ArrowRight", "End", "Home"):
            handle = handles.nth(i)
            at = handle.get_attribute("aria-valuenow")
            limit = handle.get_attribute("aria-valuemax" if key != "Home" else "aria-valuemin")
            if at == limit:
                continue
            before = drawn(explorer)
            handle.focus()
            page.keyboard.press(key)
            wait_for_change(page, explorer, before)
            check_readout(explorer)
    return handles.count()


def move_choices(page: Page, explorer: Locator) -> int:
    """Choose the last and then the first option of every list."""
    lists = explorer.locator("select")
    for i in range(lists.count()):
        values = lists.nth(i).locator("option").evaluate_all("all => all.map(o => o.value)")
        for value in dict.fromkeys((values[-1], values[0])):
            if lists.nth(i).input_value() == value:
                continue
            before = drawn(explorer)
            lists.nth(i).select_option(value)
            wait_for_change(page, explorer, before)
            check_readout(explorer)
    return lists.count()


def move_switches(page: Page, explorer: Locator) -> int:
    """Switch every switch on or off with the space bar, and back."""
    switches = explorer.locator("input[type=checkbox]")
    for i in range(switches.count()):
        for _ in range(2):
            before = drawn(explorer)
            switches.nth(i).focus()
            page.keyboard.press("Space")
            wait_for_change(page, explorer, before)
            check_readout(explorer)
    return switches.count()


def type_into_boxes(page: Page, explorer: Locator) -> int:
    """Type a number into every box."""
    boxes = explorer.locator("input[type=number]")
    for i in range(boxes.count()):
        before = drawn(explorer)
        boxes.nth(i).fill("67")
        boxes.nth(i).press("Enter")
        if boxes.nth(i).input_value() != "67":
            continue
        wait_for_change(page, explorer, before)
        check_readout(explorer)
    return boxes.count()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_runs_and_every_control_moves(
    name: str, server: Server, browser: Browser, artefacts: Path
) -> None:
    page = browser.page
    open_notebook(page, server, name)
    clear_outputs(page)
    run_all(page)
    assert output_errors(page) == []
    assert page.get_by_text("Error displaying widget").count() == 0
    explorers = page.locator(".cnnmem-explorer")
    moved = 0
    for i in range(explorers.count()):
        explorer = explorers.nth(i)
        explorer.scroll_into_view_if_needed()
        moved += move_sliders(page, explorer)
        moved += move_choices(page, explorer)
        moved += move_switches(page, explorer)
        moved += type_into_boxes(page, explorer)
        explorer.screenshot(path=str(artefacts / f"{Path(name).stem}-{i + 1}.png"))
    assert moved > 0
    assert browser.errors == []
    assert browser.outside == []


def test_a_slider_follows_the_mouse(server: Server, browser: Browser) -> None:
    page = browser.page
    open_notebook(page, server, NOTEBOOKS[0])
    clear_outputs(page)
    run_all(page)
    explorer = page.locator(".cnnmem-explorer").first
    handle = explorer.locator(".noUi-handle").first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    before = drawn(explorer)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=8)
    page.mouse.up()
    wait_for_change(page, explorer, before)
    page.wait_for_timeout(300)
    check_readout(explorer)
