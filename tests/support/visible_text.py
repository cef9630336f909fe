"""What a reader sees of a notebook before running it, and the written forms of a number."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

CLOSED = re.compile(r"<details>.*?</details>", re.DOTALL)
PICTURE = re.compile(r'<img[^>]*?alt="([^"]*)"[^>]*?src="data:image/svg\+xml;base64,([^"]*)"[^>]*>')
WRITTEN = re.compile(r"<text[^>]*>(.*?)</text>", re.DOTALL)
UNITS = {
    "count": (1, 10**3, 10**6, 10**9),
    "memory": (1, 10**3, 10**6, 10**9, 2**10, 2**20, 2**30),
    "ratio": (1,),
    "percent": (1, Fraction(1, 100)),
}


def visible(cell: Any) -> str:
    """Return what a cell shows: its text or code, and its stored outputs; nothing that is closed.

    Of pictures this is the alt text and every text that is drawn.
    """
    parts = [CLOSED.sub(" ", cell.source)]
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            parts.append(output.text)
            continue
        data = output.get("data", {})
        shown = data.get("text/html")
        parts.append(data.get("text/plain", "") if shown is None else _text(shown))
    return "\n".join(parts)


def _text(shown: str) -> str:
    shown = CLOSED.sub(" ", shown)
    shown = PICTURE.sub(lambda m: f" {m[1]} {' '.join(_drawn(m[2]))} ", shown)
    return html.unescape(re.sub(r"<[^>]+>", " ", shown))


def _drawn(encoded: str) -> Iterator[str]:
    picture = base64.b64decode(encoded).decode()
    for text in WRITTEN.findall(picture):
        yield re.sub(r"<[^>]+>", " ", text)


def written_forms(value: Fraction | int, measure: str) -> set[str]:
    """Return how a number can be written with three or more digits, in its units, as regexes.

    >>> sorted(written_forms(61_706, "count"))
    ['61706', '61[,_ ]706', '61\\\\.7', '61\\\\.706', '61\\\\.71']
    """
    forms, size = set(), abs(Fraction(value))
    for unit in UNITS[measure]:
        scaled = size / unit
        if unit not in (1, Fraction(1, 100)) and not 1 <= scaled < 10_000:
            continue
        for decimals in range(4):
            number = round(scaled * 10**decimals)
            exact = Fraction(number, 10**decimals) == scaled
            if len(str(number)) < 3 or (unit == 1 and size >= 1000 and not exact):
                continue
            whole, rest = divmod(number, 10**decimals)
            tail = rf"\.{rest:0{decimals}d}" if decimals else ""
            if not (exact and decimals and rest % 10 == 0):
                forms.add(f"{whole}{tail}")
                forms.add(f"{whole:,}".replace(",", "[,_ ]") + tail)
    return forms


def number_pattern(value: Fraction | int, measure: str) -> re.Pattern[str]:
    """Return what finds a number in a text, in any of its forms, but not within another number."""
    forms = "|".join(sorted(written_forms(value, measure), key=len, reverse=True))
    return re.compile(rf"(?<![\d.,_])(?:{forms or '(?!)'})(?![\d_]|[.,]\d)")
