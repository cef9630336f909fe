"""Half an hour with three lessons open: does memory grow?

    python benchmarks/soak.py [--minutes 30] [--lessons 01,03,06]

JupyterLab runs as `make lab` starts it. A script with a fixed seed goes from tab to tab, moves a
random control of a random explorer by the keyboard, and answers a random question. It prints, as a
Markdown table, the private memory of the kernels and of the server, and the page's heap after a
garbage collection, before, every few minutes, and after.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from controls import open_rest  # noqa: E402
from jupyter import (  # noqa: E402
    Browser,
    Server,
    chromium_process,
    fresh_page,
    jupyterlab,
    open_notebook,
    output_errors,
    run_all,
    wait_for_idle,
)

MB = 10**6
SAMPLES = 7  # lines of the table


def private(pid: int) -> float:
    """Return a process's private memory in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return 1024 * sum(int(n) for n in re.findall(r"Private_\w+: +(\d+) kB", text)) / MB


class Soak:
    """Three lessons in one page, and what is done to them."""

    def __init__(self, browser: Browser, server: Server, lessons: list[str], seed: int) -> None:
        self.browser, self.server, self.page = browser, server, browser.page
        self.lessons, self.draw = lessons, random.Random(seed)
        self.tools = self.page.context.new_cdp_session(self.page)
        self.moves = self.answers = 0

    def open(self) -> None:
        """Open and run the lessons, each in a tab."""
        open_notebook(self.page, self.server, self.lessons[0])
        run_all(self.page)
        open_rest(self.page)
        for name in self.lessons[1:]:
            self.show(name)
            run_all(self.page)
            open_rest(self.page)
            assert output_errors(self.page) == []

    def show(self, name: str) -> None:
        """Bring a lesson's tab to the front."""
        self.page.evaluate(
            "path => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => {})",
            name,
        )
        self.page.wait_for_function(
            "path => window.jupyterapp.shell.currentWidget?.context?.path === path "
            "&& window.jupyterapp.shell.currentWidget.context.isReady",
            arg=name,
        )
        wait_for_idle(self.page)

    def step(self) -> None:
        """Move a control, or answer a question."""
        explorers = self.page.locator(".cnnmem-explorer:visible")
        questions = self.page.locator(".cnnmem-question:visible")
        if questions.count() and (self.draw.random() < 0.2 or not explorers.count()):
            self.answer(questions.nth(self.draw.randrange(questions.count())))
        elif explorers.count():
            self.move(explorers.nth(self.draw.randrange(explorers.count())))

    def move(self, explorer: Any) -> None:
        """Press a few keys on a random control of an explorer."""
        controls = explorer.locator(".noUi-handle:visible, select:visible, [type=checkbox]:visible")
        if not controls.count():
            return
        control = controls.nth(self.draw.randrange(controls.count()))
        control.scroll_into_view_if_needed()
        control.focus()
        ticked = control.get_attribute("type") == "checkbox"
        for _ in range(2 if ticked else self.draw.randrange(1, 9)):
            way = self.draw.choice(["ArrowLeft", "ArrowRight"])
            self.page.keyboard.press("Space" if ticked else way)
            self.page.wait_for_timeout(120)
        self.moves += 1

    def answer(self, question: Any) -> None:
        """Choose or type an answer and press Check."""
        question.scroll_into_view_if_needed()
        for box in question.locator("input[type=text]:visible").all()[:1]:
            box.fill(str(self.draw.randrange(10**6)))
        for choice in question.locator("input[type=radio]:visible").all()[:3]:
            if self.draw.random() < 0.5:
                choice.check()
        for button in question.get_by_role("button", name="Check").all()[:1]:
            button.click()
        self.page.wait_for_timeout(200)
        self.answers += 1

    def sample(self) -> list[float]:
        """Return the memory of the kernels together, the server and the page, and its nodes."""
        self.page.wait_for_timeout(1500)
        self.tools.send("HeapProfiler.collectGarbage")
        heap = self.tools.send("Runtime.getHeapUsage")["usedSize"] / MB
        nodes = self.tools.send("Memory.getDOMCounters")["nodes"]
        kernels = [
            child.pid
            for child in psutil.Process(self.server.pid).children(recursive=True)
            if "ipykernel" in " ".join(child.cmdline())
        ]
        return [sum(map(private, kernels)), private(self.server.pid), heap, nodes]


def run(options: argparse.Namespace) -> list[str]:
    """Soak, and return the lines of the report."""
    names = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    lessons = [name for name in names if name[:2] in options.lessons.split(",")]
    samples: list[tuple[float, list[float]]] = []
    with (
        tempfile.TemporaryDirectory() as home,
        jupyterlab(ROOT / "notebooks", Path(home)) as server,
        chromium_process() as running,
        fresh_page(running) as browser,
    ):
        soak = Soak(browser, server, lessons, options.seed)
        soak.open()
        begun = time.monotonic()
        end = begun + 60 * options.minutes
        while True:
            due = begun + 60 * options.minutes * len(samples) / (SAMPLES - 1)
            if time.monotonic() >= min(due, end):
                samples.append(((time.monotonic() - begun) / 60, soak.sample()))
                print(samples[-1], soak.moves, soak.answers, file=sys.stderr, flush=True)
            if len(samples) >= SAMPLES:
                break
            soak.show(soak.draw.choice(lessons))
            for _ in range(10):
                soak.step()
        browser.assert_clean()
    return [
        f"Measured {date.today()}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}: {', '.join(lessons)}; {soak.moves:,} controls moved and "
        f"{soak.answers:,} answers given in {samples[-1][0]:.0f} minutes.",
        "",
        "| minute | three kernels, private MB | server, private MB | page's heap, MB | DOM nodes |",
        "|--:|--:|--:|--:|--:|",
        *(
            f"| {at:.0f} | {k:.0f} | {s:.0f} | {heap:.1f} | {nodes:,.0f} |"
            for at, (k, s, heap, nodes) in samples
        ),
    ]


def main() -> None:
    """Read the options, soak, print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--lessons", default="01,03,06", help="the numbers of the lessons")
    parser.add_argument("--seed", type=int, default=1)
    print("\n".join(run(parser.parse_args())))


if __name__ == "__main__":
    main()
