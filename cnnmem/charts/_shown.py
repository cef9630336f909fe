"""How a chart shows itself in a notebook."""

from __future__ import annotations

from typing import Any


class Shown:
    """A chart shows itself in a notebook: a picture with its alt text, and the text twin."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        from .svg import data_uri_img

        return {"text/plain": self.text(), "text/html": data_uri_img(self)}  # type: ignore[attr-defined, arg-type]
