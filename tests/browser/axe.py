"""axe-core on a page: the serious and critical violations that are the kit's own."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parents[2] / "build" / "npm"
VERSION = "4"
# Violations that are not ours, with the reason: (rule, selector that every such node matches).
THEIRS = (
    # ipywidgets gives the handles of its sliders no name and has no setting for it; the box beside
    # each slider has a label and sets the same number
    ("aria-input-field-name", ".noUi-handle"),
    # JupyterLab's style of links in a text, which nbconvert and Voila share
    ("link-in-text-block", ".jp-RenderedMarkdown a"),
    # nbconvert's grey In [1] and Out [1], and its colours of Python code
    ("color-contrast", ".jp-InputPrompt, .jp-OutputPrompt, .highlight *"),
)


@cache
def script() -> Path:
    """Return axe-core's file; npm installs it into build/ when a test first needs it."""
    path = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = f"npm install --no-save --no-package-lock --no-audit --no-fund axe-core@{VERSION}"
        try:
            done = subprocess.run(
                [*command.split(), "--prefix", str(FOLDER)],
                capture_output=True,
                text=True,
                timeout=300,
            )
        except FileNotFoundError:
            raise AssertionError("npm installs axe-core: install Node.js") from None
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return path


def violations(page: Page) -> list[str]:
    """Return the serious and critical violations of a page that are not in `THEIRS`."""
    page.add_script_tag(path=str(script()))
    found: list[dict[str, Any]] = page.evaluate(
        """async theirs => {
            const {violations, passes} = await axe.run(document);
            if (!passes.length) throw new Error('axe looked at nothing');
            return violations
                .filter(v => ['serious', 'critical'].includes(v.impact))
                .flatMap(v => v.nodes.map(node => ({
                    rule: v.id, help: v.help, html: node.html,
                    element: document.querySelector(node.target.at(-1)),
                })))
                .filter(one => !theirs.some(([rule, selector]) =>
                    rule === one.rule && one.element && one.element.matches(selector)))
                .map(({rule, help, html}) => ({rule, help, html}));
        }""",
        [list(pair) for pair in THEIRS],
    )
    return [f"{one['rule']}: {one['help']}: {one['html'][:200]}" for one in found]
