"""What an explorer must show: a copy of it in this process, with the settings on the page."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

import cnnmem
from cnnmem import published, widgets
from cnnmem.frameworks import available
from cnnmem.widgets import Explorer, choices

STEP = 15_000  # milliseconds in which a control must take effect

# Calls of factories whose defaults do not offer everything that a notebook may choose.
CALLS: dict[str, Callable[[], Explorer]] = {
    "reconciliation": lambda: widgets.reconciliation(numbers=tuple(published.catalogue())),
}


def public_factories() -> list[str]:
    """Return the names of the functions of `cnnmem.widgets` that make an explorer."""
    return [
        name
        for name in widgets.__all__
        if inspect.isfunction(made := getattr(widgets, name))
        and inspect.signature(made).return_annotation == "Explorer"
    ]


@cache
def twins() -> dict[str, Explorer]:
    """Return one explorer of this process for each factory of `cnnmem.widgets`, by title."""
    made = [CALLS.get(name, getattr(widgets, name))() for name in public_factories()]
    by_title = {one._title: one for one in made}
    assert len(by_title) == len(made), "two explorers share a title"
    return by_title


def twin(title: str) -> Explorer:
    """Return the explorer of this process with a title."""
    assert title in twins(), (
        f"the page shows the explorer {title!r}, and no function of cnnmem.widgets (annotated "
        "`-> Explorer`) makes it, so no test can check it"
    )
    return twins()[title]


def lessons_own() -> Any:
    """Return the model of lesson 08's reader: the lesson's own cell makes it."""
    (lesson,) = (Path(__file__).parents[2] / "notebooks").glob("08-*.ipynb")
    cells = ["".join(cell["source"]) for cell in json.loads(lesson.read_text())["cells"]]
    names: dict[str, Any] = {"cnnmem": cnnmem, "available": available}
    with redirect_stdout(io.StringIO()):
        exec(next(cell for cell in cells if "mine = nn.Sequential(" in cell), names)
    return names["mine"], (8, 3, 32, 32)


# Models that are not in the zoo, by what a page calls them: a function gives the explorers'
# first arguments.
OWN: dict[str, Callable[[], Any]] = {"Sequential": lessons_own}


@cache
def own_twin(title: str, network: str) -> Explorer:
    """Return the explorer of this process that shows a model of a reader's own."""
    titles = [one._title for one in twins().values()]
    factory = getattr(widgets, public_factories()[titles.index(title)])
    made: Explorer = factory(*OWN[network]())
    return made


def title_of(explorer: Locator) -> str:
    """Return the title of an explorer on the page."""
    return explorer.locator("[data-explorer]").get_attribute("data-explorer") or ""


def drawn(explorer: Locator) -> str:
    """Return the attribute that identifies a drawing: its settings."""
    return explorer.locator("[data-settings]").get_attribute("data-settings") or ""


def wait_for_change(page: Page, explorer: Locator, before: str) -> None:
    """Wait until an explorer is drawn with settings other than before."""
    page.wait_for_function(
        "([root, before]) => root.querySelector('[data-settings]')"
        "?.getAttribute('data-settings') !== before",
        arg=[explorer.element_handle(), before],
        timeout=STEP,
    )


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def check(explorer: Locator) -> dict[str, Any]:
    """Compare readout, message, table and every bar on the page with what this process computes.

    Returns the settings on the page.
    """
    seen = explorer.evaluate(
        """root => {
          // of the wide and the narrow drawing, the page shows one
          const shown = [...root.querySelectorAll('svg[data-chart]')]
              .filter(svg => svg.checkVisibility());
          return {
            title: root.querySelector('[data-explorer]').dataset.explorer,
            settings: root.querySelector('[data-settings]').dataset.settings,
            readout: root.querySelector('.cnnmem-readout').innerText,
            message: root.querySelector('.cnnmem-message').innerText,
            charts: shown.length,
            table: [...root.querySelectorAll('[data-explorer] tr')]
                .map(row => [...row.cells].map(cell => cell.textContent)),
            alts: shown.map(svg => svg.getAttribute('aria-label')),
            bars: shown.flatMap(svg => [...svg.querySelectorAll('.bar')]).map(bar => ({
                name: bar.dataset.name,
                values: bar.dataset.values,
                height: bar.getBoundingClientRect().height,
            })),
          };
        }"""
    )
    settings: dict[str, Any] = json.loads(seen["settings"])
    own = settings.get("network")
    offered = own in (None, *choices.labels())
    same = twin(seen["title"]) if offered else own_twin(seen["title"], own)
    same.set(**settings)
    assert same.settings == settings
    message = _squeezed(seen["message"].replace("\xa0", " "))
    assert message == _squeezed(same.message)
    assert "defect of the kit" not in message
    assert seen["charts"] or seen["table"]
    if not message:  # an invalid setting leaves the previous chart in place
        table = same.view.table if same.view else None
        rows = [list(row) for row in (table[0], *table[1])] if table else []
        assert seen["table"] == rows
        assert _squeezed(seen["readout"]) == _squeezed(same.readout)
        shown = [(bar["name"], bar["values"]) for bar in seen["bars"]]
        assert shown == [(bar["name"], " ".join(map(str, bar["values"]))) for bar in same.bars], (
            seen["title"]
        )
        assert all(bar["height"] > 0 for bar in seen["bars"])
        assert all(seen["alts"])
    return settings
