"""An explorer: controls, and a view that is recomputed from their settings at every change.

The live chart is one `HTML` widget whose value is replaced: no `Output`, no plotting library.
"""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import ipywidgets

from cnnmem.charts import Chart, Marker, svg
from cnnmem.errors import CnnmemError
from cnnmem.tables import html_table

from .controls import Bound, Checkbox, Control, Dropdown, Slider

# All lessons open in one JupyterLab share a document, where `url(#id)` finds the first element with
# that id. A pattern in the hidden tab of another lesson paints nothing, so each kernel has ids of
# its own. They come from `secrets`, because a reader may have seeded `random`.
_KERNEL = secrets.token_urlsafe(3)
_IDS = count(1)
ALONE, BESIDE = 960, 480  # widths of a chart: below others, beside another
SMALL, LEAST = 290, 220  # heights of narrow drawings: of one chart, of several
# Where a chart would be scaled down until its texts cannot be read, the narrow drawing is shown.
FITTING = (
    "<style>.cnnmem-charts{container-type:inline-size;width:100%}.cnnmem-narrow{display:none}"
    "@container (max-width:815px){.cnnmem-wide{display:none}.cnnmem-narrow{display:block}}</style>"
)


@dataclass(frozen=True)
class View:
    """What an explorer shows: one or more charts, the result in words, perhaps a table.

    `readout` is plain text of one or more lines. `table` is a header and rows; the first `texts`
    columns are text, the others numbers. Charts are one below the other, or `beside` each other
    where the page has room. `height` is that of a chart; 0 means the explorer's default.
    """

    charts: tuple[Chart, ...]
    readout: str
    table: tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None = None
    texts: int = 1
    beside: bool = False
    height: int = 0


class Explorer(ipywidgets.VBox):
    """Controls above a live chart, which Python can drive as a reader does.

    `set(name=value)` moves a control; `settings`, `readout`, `bars`, `alt` and `message` return
    what is shown. An invalid setting leaves the last chart in place, and `message` says why.
    A page without a kernel shows a picture of the chart with its alt text instead.
    """

    def __init__(
        self,
        title: str,
        controls: Sequence[Control],
        view: Callable[..., View],
        help: str = "",
        height: int = 340,
    ) -> None:
        self._title, self._view, self._height = title, view, height
        self._prefix = f"x{_KERNEL}{next(_IDS)}"
        self._markers: tuple[Marker, ...] = ()
        self._quiet = True
        self._choices = {c.name: c for c in controls if isinstance(c, Dropdown)}
        self._bound: dict[str, Bound] = {}
        for control in controls:
            if isinstance(control, Dropdown):
                self._bound[control.name] = control.build(self._changed, self.settings)
            else:
                self._bound[control.name] = control.build(self._changed)
        self._screen = ipywidgets.HTML(layout={"width": "auto"})
        self.view: View | None = None
        self.message = ""
        self._drawn: tuple[str, ...] = ()
        self._narrow: tuple[str, ...] = ()
        # Controls stand in two columns where there is room, and the sliders last, so that a slider
        # and the chart that it moves fit a screen.
        wrap = {"flex_flow": "row wrap", "width": "100%"}
        groups = ([], [], [])  # type: tuple[list[Any], list[Any], list[Any]]
        for control in controls:
            place = 1 if isinstance(control, Checkbox) else 2 * isinstance(control, Slider)
            groups[place].append(self._bound[control.name].shown)
        rows = [ipywidgets.HBox(group, layout=wrap) for group in groups if group]
        manual = ipywidgets.HTML(
            f"<details><summary>How to use it</summary><p>{html.escape(help)}</p></details>"
        )
        shown = [*rows, self._screen, *([manual] if help else [])]
        super().__init__(shown, layout={"width": "100%"})
        self.add_class("cnnmem-explorer")
        self._quiet = False
        self._changed()

    @property
    def settings(self) -> dict[str, Any]:
        """The controls' values by name."""
        return {name: bound.value for name, bound in self._bound.items()}

    def set(self, **settings: Any) -> Explorer:
        """Move controls as the reader would, one after the other, and return the explorer.

        Raises `CnnmemError` for an unknown control or a value that it cannot hold.
        """
        for name, value in settings.items():
            if name not in self._bound:
                raise CnnmemError(
                    f"no control is called {name!r}; there are {', '.join(self._bound)}"
                )
            self._bound[name].set(value)
        return self

    def predict(self, *markers: Marker) -> Explorer:
        """Keep predictions on the chart; without arguments, remove them."""
        self._markers = markers
        self._changed()
        return self

    def watch(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change of what is shown."""
        self._screen.observe(lambda change: callback(), "value")

    @property
    def readout(self) -> str:
        """The line under the controls: the total with its unit and convention."""
        return self.view.readout if self.view else ""

    @property
    def bars(self) -> list[dict[str, Any]]:
        """The bars as drawn, read back from the SVG: name, exact values, total."""
        return [bar for drawing in self._drawn for bar in svg.bars(drawing)]

    @property
    def alt(self) -> str:
        """The charts in words."""
        return " ".join(chart.alt for chart in self._charts())

    def text(self, most: int = 8) -> str:
        """Return the readout and the charts as plain text, with at most `most` bars each."""
        parts = [self.readout, *(chart.text(most) for chart in self._charts())]
        return "\n\n".join([*parts, *([self.message] if self.message else [])])

    def _charts(self) -> tuple[Chart, ...]:
        charts = self.view.charts if self.view else ()
        return tuple(chart.marked(self._markers) for chart in charts)

    def _changed(self) -> None:
        if self._quiet:
            return
        self._refresh_choices()
        settings = self.settings
        try:
            self.view = self._view(**settings)
            self.message = ""
        except CnnmemError as error:
            self.message = str(error)
        except Exception as error:
            self.message = f"this is a defect of the kit, please report it: {error!r}"
            self._show()
            raise
        self._show()

    def _refresh_choices(self) -> None:
        """Offer the options for these settings; a choice that is gone gives way to the first."""
        for name, choice in self._choices.items():
            if callable(choice.options):
                options, source = choice.choices(self.settings), self._bound[name].source
                if tuple(source.options) != options:
                    self._quiet = True
                    kept = (
                        source.value if source.value in [v for _, v in options] else options[0][1]
                    )
                    source.options = options
                    source.value = kept
                    self._quiet = False

    def _show(self) -> None:
        if not self.message:
            self._drawn = tuple(
                svg.draw(chart, id_prefix=f"{self._prefix}-{i}", **self._size())
                for i, chart in enumerate(self._charts())
            )
            height = SMALL if len(self._drawn) < 2 else LEAST
            self._narrow = tuple(
                svg.draw(chart, BESIDE, height, f"{self._prefix}-n{i}", light=True)
                for i, chart in enumerate(self._charts())
            )
        self._screen.value = self._html()

    def _size(self) -> dict[str, Any]:
        """Return the width and height of a chart; plots side by side end at the same height."""
        view = self.view or View((), "")
        if not view.beside:
            return {"width": ALONE, "height": view.height or self._height}
        foot = max((chart.foot(BESIDE) for chart in view.charts), default=0.0)
        return {"width": BESIDE, "height": view.height or self._height, "foot": foot}

    def _html(self) -> str:
        # An empty message takes its line too, so that the chart does not jump.
        lines = html.escape(self.readout).replace("\n", "<br>")
        note = html.escape(self.message) or "&nbsp;"
        look = "color:var(--jp-error-color0,#b00020);font-weight:600" if self.message else ""
        dim = "opacity:.35" if self.message else ""
        table = ""
        if self.view and self.view.table:
            table = html_table(*self.view.table, left=self.view.texts)
        settings = html.escape(json.dumps(self.settings))
        wide = "".join(self._drawn)
        if self.view and self.view.beside:
            parts = (f'<div style="flex:1 1 400px;min-width:0">{one}</div>' for one in self._drawn)
            wide = f'<div style="display:flex;gap:4px">{"".join(parts)}</div>'
        drawn = (
            f'{FITTING}<div class="cnnmem-wide">{wide}</div>'
            f'<div class="cnnmem-narrow">{"".join(self._narrow)}</div>'
        )
        return (
            f'<div data-explorer="{html.escape(self._title)}" data-settings="{settings}" '
            f'style="font-size:14px;line-height:1.45">'
            f'<div role="status" class="cnnmem-readout" style="font-weight:600;min-height:2.9em">'
            f"{lines}</div>"
            '<div role="alert" class="cnnmem-message" '
            f'style="line-height:1.2;min-height:1.2em;{look}">{note}</div>'
            f'<div class="cnnmem-charts" style="{dim}">{drawn}</div>{table}</div>'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add a picture and the readout, for readers without a kernel; without any prediction."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        charts = self.view.charts if self.view else ()
        pictures = "".join(svg.data_uri_img(chart, **self._size()) for chart in charts)
        readout = html.escape(self.readout).replace("\n", "<br>")
        data["text/plain"] = f"{self._title}\n{self.readout}"
        data["text/html"] = (
            f"<p><strong>{html.escape(self._title)}</strong><br>{readout}</p>{pictures}"
            "<p><em>Run the cell to move the controls.</em></p>"
        )
        return bundle

    def __repr__(self) -> str:
        return f"<{self._title}: {self.readout}>"


__all__ = ["Checkbox", "Dropdown", "Explorer", "Slider", "View"]
