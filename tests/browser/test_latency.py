"""The chart follows a slider: the tool that measures the delay works and finds a clear gap.

The figures themselves are taken on an idle machine (`make bench-latency`, docs/latency.md).
"""

from __future__ import annotations

import argparse
import sys

import pytest
from jupyter import Chromium, Server

from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import latency

pytestmark = pytest.mark.browser


def test_the_explorer_is_much_faster_than_interact_and_matplotlib(
    server: Server, running: Chromium
) -> None:
    options = argparse.Namespace(steps=8, drags=1)
    ours, theirs = latency.measure(server, running, "resnet50/keras", options)
    assert ours["bars"] == 177
    assert ours["p50"] < theirs["p50"] / 3  # docs/latency.md has the ratio on an idle machine
    assert ours["updates"] > 2 * theirs["updates"] > 0
    assert ours["kernel"] < theirs["kernel"] / 5
    page = latency.report([ours, theirs], [], "in a test")
    assert "| resnet50/keras | 177 | explorer |" in page
    assert 'class="line"' in latency.chart([ours, theirs])
