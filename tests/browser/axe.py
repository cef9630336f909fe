"""axe-core on a page: what it finds serious or critical in what the kit made itself."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parents[2] / "build" / "npm"
VERSION = "4"
# Not of our making, each with its reason. (rule, a selector that every reported node matches)
THEIRS = (
    # ipywidgets gives its sliders' handles no name and has no setting for it; the box beside each
    # slider is labelled and sets the same number
    ("aria-input-field-name", ".noUi-handle"),
    # JupyterLab's style of a link in a text, which nbconvert and Voila share
    ("link-in-text-block", ".jp-RenderedMarkdown a"),
    # nbconvert's grey In [1] and Out [1], and its colours of Python code
    ("color-contrast", ".jp-InputPrompt, .jp-OutputPrompt, .highlight *"),
)


@cache
def script() -> Path:
    """Return axe-core's file; it is installed into build/ when a test first needs it."""
    path = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = [
            "npm", "install", "--prefix", str(FOLDER), "--no-save", "--no-package-lock",
            "--no-audit", "--no-fund", f"axe-core@{VERSION}",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=300, env={**os.environ}
            )
        except FileNotFoundError:
            raise AssertionError("axe-core is installed by npm: install Node.js") from None
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
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
