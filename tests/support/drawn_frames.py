"""Checks that a drawing stays inside its frame."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from cnnmem.charts import Chart, svg
from cnnmem.charts.fitting import text_width
from cnnmem.charts.marks import Frame, Text
from cnnmem.charts.theme import TEXT

_NS = "{http://www.w3.org/2000/svg}"


def check_frame(chart: Chart, width: int, height: int) -> None:
    """Check that boxes and text baselines lie in the drawing, and that it carries the alt text."""
    root = ET.fromstring(svg.standalone(chart, width, height))
    assert root.get("aria-label") == chart.alt
    assert root.get("viewBox") == f"0 0 {width} {height}"
    for rect in root.iter(f"{_NS}rect"):
        if rect.get("x") is not None and rect.get("class") is not None:
            x, y = float(rect.get("x", 0)), float(rect.get("y", 0))
            assert 0 <= x <= x + float(rect.get("width", 0)) <= width
            assert 0 <= y <= y + float(rect.get("height", 0)) <= height
    for text in root.iter(f"{_NS}text"):
        assert 0 <= float(text.get("x", 0)) <= width
        assert 12 <= float(text.get("y", 0)) <= height


def check_texts(chart: Chart) -> None:
    """Check that no text is clipped at the left or right."""
    frame = Frame(960, 340)
    texts = [mark for mark in chart.marks(frame).marks if isinstance(mark, Text)]
    assert texts
    for text in texts:
        width = text_width(text.text, text.size or TEXT, text.bold)
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
        assert text.x - share * width >= 0, text
        assert text.x + (1 - share) * width <= frame.width, text
