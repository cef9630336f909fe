"""Every notebook in JupyterLab in a real browser: run it, move every control, check the layout."""

from __future__ import annotations

from pathlib import Path

import pytest
from controls import move_everything, open_all, start_again, try_questions
from jupyter import Browser, Server, clear_outputs, open_notebook, output_errors, run_all
from layout import faults
from twins import title_of

from conftest import NOTEBOOKS

pytestmark = pytest.mark.browser


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
    start_again(page)
    far = page.evaluate(
        """() => {
            const top = element => element.getBoundingClientRect().top;
            const first = document.querySelector('.cnnmem-veil, .cnnmem-explorer');
            return (top(first) - top(document.querySelector('.jp-Cell'))) / innerHeight;
        }"""
    )
    assert far < 2, f"the first explorer is {far:.1f} screens from the top"
    assert open_all(page) > 0
    found = list(faults(page, artefacts, Path(name).stem))
    assert not found, "\n".join(found)
    explorers = page.locator(".cnnmem-explorer")
    assert explorers.count() + page.locator(".cnnmem-question").count() > 0
    for i in range(explorers.count()):
        assert move_everything(page, explorers.nth(i)) > 0, title_of(explorers.nth(i))
        explorers.nth(i).screenshot(path=str(artefacts / f"{Path(name).stem}-{i + 1}.png"))
    try_questions(page)
    browser.assert_clean()
