"""Move every control of an explorer on a page as a reader does, and check what it shows then."""

from __future__ import annotations

import json

from playwright.sync_api import Locator, Page
from twins import check, drawn, wait_for_change

# What a reader can move in the controls that ipywidgets makes.
MOVABLE = ".noUi-handle, select, input, textarea, button"


def move_everything(page: Page, explorer: Locator) -> int:
    """Move all controls of an explorer and return their number; fail on an unknown kind."""
    explorer.scroll_into_view_if_needed()
    check(explorer)
    moved = _numbers(page, explorer) + _lists(page, explorer) + _switches(page, explorer)
    moved += _texts(page, explorer)
    assert moved == explorer.locator(MOVABLE).count(), "there is a control that no test here moves"
    return moved


def _numbers(page: Page, explorer: Locator) -> int:
    """Move each slider by a step, to both ends and by mouse; set each box, and set it back."""
    handles, boxes = explorer.locator(".noUi-handle"), explorer.locator("input[type=number]")
    assert handles.count() == boxes.count()
    for i in range(handles.count()):
        handle, box = handles.nth(i), boxes.nth(i)
        first = box.input_value()
        for key, limit in (("ArrowRight", "max"), ("End", "max"), ("Home", "min")):
            if handle.get_attribute("aria-valuenow") == handle.get_attribute(f"aria-value{limit}"):
                continue
            press(page, explorer, handle, key)
        drag(page, explorer, handle)
        for text in ("67", first):
            if box.input_value() != text:
                enter(page, explorer, box, text)
    return 2 * handles.count()


def press(page: Page, explorer: Locator, handle: Locator, key: str) -> None:
    """Press a key on a slider; the chart must follow."""
    before = drawn(explorer)
    handle.focus()
    page.keyboard.press(key)
    wait_for_change(page, explorer, before)
    check(explorer)


def enter(page: Page, explorer: Locator, box: Locator, text: str) -> None:
    """Type a number into a box; the chart must follow."""
    before = drawn(explorer)
    box.fill(text)
    box.press("Enter")
    wait_for_change(page, explorer, before)
    check(explorer)


def drag(page: Page, explorer: Locator, handle: Locator) -> None:
    """Drag a slider from its left end with the mouse; the last value must be shown in the end."""
    box = handle.bounding_box()
    assert box is not None
    before = drawn(explorer)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y, steps=6)
    page.mouse.up()
    wait_for_change(page, explorer, before)
    # the box of the same number shows where the slider came to rest
    page.wait_for_function(
        """([root, i]) => {
            const at = parseFloat(root.querySelectorAll('.noUi-handle')[i].ariaValueNow);
            const box = root.querySelectorAll('input[type=number]')[i].value;
            const settings = root.querySelector('[data-settings]').dataset.settings;
            return at === Number(box) && Object.values(JSON.parse(settings)).includes(at);
        }""",
        arg=[explorer.element_handle(), _index(explorer, handle)],
    )
    check(explorer)


def _index(explorer: Locator, handle: Locator) -> int:
    found = explorer.locator(".noUi-handle").evaluate_all(
        "(all, one) => all.indexOf(one)", handle.element_handle()
    )
    return int(found)


def _texts(page: Page, explorer: Locator) -> int:
    """Type a number, no number and nothing into each box of text, and what was there before."""
    boxes = explorer.locator("input[type=text]")
    for i in range(boxes.count()):
        first = boxes.nth(i).input_value()
        for text in ("138M", "many", "", first):
            enter(page, explorer, boxes.nth(i), text)
    return boxes.count()


def move_one(page: Page, explorer: Locator) -> None:
    """Move the first slider of an explorer by a step, or type into its first box of text."""
    handle = explorer.locator(".noUi-handle").first
    if handle.count():
        at, most = (handle.get_attribute(f"aria-value{x}") for x in ("now", "max"))
        press(page, explorer, handle, "ArrowLeft" if at == most else "ArrowRight")
    else:
        enter(page, explorer, explorer.locator("input[type=text]").first, "138M")


def _lists(page: Page, explorer: Locator) -> int:
    """Choose the last and the first option of each list, then what was chosen before."""
    lists = explorer.locator("select")
    for i in range(lists.count()):
        first = lists.nth(i).input_value()
        values = lists.nth(i).locator("option").evaluate_all("all => all.map(o => o.value)")
        for value in (values[-1], values[0], first):
            if lists.nth(i).input_value() != value:
                before = drawn(explorer)
                lists.nth(i).select_option(value)
                wait_for_change(page, explorer, before)
                check(explorer)
    return lists.count()


def _switches(page: Page, explorer: Locator) -> int:
    """Toggle each switch with the space bar, and back with the mouse."""
    switches = explorer.locator("input[type=checkbox]")
    for i in range(switches.count()):
        for press in (lambda: page.keyboard.press("Space"), switches.nth(i).click):
            before = json.loads(drawn(explorer))
            switches.nth(i).focus()
            press()
            wait_for_change(page, explorer, json.dumps(before))
            after = check(explorer)
            assert sum(before[name] != after[name] for name in before) == 1
    return switches.count()


def start_again(page: Page) -> None:
    """Forget the lesson's answers, as a reader does who begins again."""
    head = page.locator(".cnnmem-head")
    head.get_by_role("button").click()
    head.get_by_role("button", name="Forget my answers").click()
    head.get_by_text("forgotten").wait_for()
    assert " 0 of " in f" {head.locator('[role=status]').inner_text().strip()}"


def open_all(page: Page) -> int:
    """Predict by mouse, then ask to see what is still hidden; return the number of predictions.

    Before that nothing that follows a question may be on the page; afterwards all of it must be.
    """
    closed = page.locator(".cnnmem-veil button", has_text="Show without guessing")
    veils, predictions = closed.count(), page.locator(".cnnmem-prediction")
    assert page.locator(".cnnmem-veil").count() == veils
    assert page.locator(".cnnmem-veil :is(.cnnmem-explorer, svg, pre)").count() == 0
    for i in range(predictions.count()):
        one, before = predictions.nth(i), closed.count()
        radios = one.locator("input[type=radio]")
        if radios.count():
            radios.last.check()
        else:
            one.locator("input[type=text]").fill("3")
        one.get_by_role("button", name="Predict").click()
        page.wait_for_function(
            "([root, before]) => root.querySelector('[role=status]').innerText.includes('Noted')"
            " && [...document.querySelectorAll('.cnnmem-veil button')]"
            ".filter(b => b.innerText === 'Show without guessing').length < before",
            arg=[one.element_handle(), before],
        )
    open_rest(page)
    if veils:
        assert page.locator(".cnnmem-veil").last.inner_text().strip()
    return predictions.count()


def open_rest(page: Page) -> None:
    """Ask to see all that is still hidden."""
    closed = page.locator(".cnnmem-veil button", has_text="Show without guessing")
    while left := closed.count():
        closed.first.click()
        page.wait_for_function(
            "left => [...document.querySelectorAll('.cnnmem-veil button')]"
            ".filter(b => b.innerText === 'Show without guessing').length < left",
            arg=left,
        )


def try_questions(page: Page) -> int:
    """Press Check and Hint of each question without an answer; each must say something."""
    questions = page.locator(".cnnmem-question")
    for i in range(questions.count()):
        question = questions.nth(i)
        status = question.locator("[role=status]")
        for name in ("Check", "Hint"):
            before = status.inner_text()
            if name == "Check" and before:  # a function was judged at once
                continue
            question.get_by_role("button", name=name).click()
            page.wait_for_function(
                "([root, before]) => ![before, ''].includes("
                "root.querySelector('[role=status]').innerText)",
                arg=[question.element_handle(), before],
            )
        assert status.get_attribute("data-state") == "not attempted"
        assert "defect" not in status.inner_text()
    return questions.count()
