"""Controls as data: what an explorer lets the reader set, and the widgets made from it.

A control shows one widget and holds one value, the setting. A number has a slider and a box side
by side: the box holds the value, and the slider follows it within its range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets

from cnnmem.checks import is_int
from cnnmem.errors import CnnmemError

LABEL = "8.1em"
# Two columns where there is room for two labels, boxes and short sliders, else one.
PLACE = {"flex": "1 1 max(16.5em, 45%)", "min_width": "0", "max_width": "31em", "width": "auto"}


@dataclass(frozen=True)
class Slider:
    """A whole number: a slider from `least` to `most`, and a box that takes any number."""

    name: str
    label: str
    least: int
    most: int
    value: int
    step: int = 1
    help: str = ""

    def nearest(self, value: int) -> int:
        """Return the slider's position for a value, in its range and on one of its steps.

        Off its steps, the slider would snap in the browser, which would report the new position
        as if the reader had moved it.
        """
        steps = (min(max(value, self.least), self.most) - self.least + self.step // 2) // self.step
        return min(self.least + steps * self.step, self.most)

    def build(self, changed: Callable[[], None]) -> Bound:
        """Return the control's widgets; `changed` is called once for every change by the reader.

        Raises `CnnmemError` for a value that is not a whole number.
        """
        if not is_int(self.value):
            raise CnnmemError(f"{self.name} is {self.value!r}; give a whole number")
        slider = ipywidgets.IntSlider(
            value=self.nearest(self.value),
            min=self.least,
            max=self.most,
            step=self.step,
            description=self.label,
            readout=False,
            style={"description_width": LABEL},
            layout={"flex": "1 1 auto", "width": "auto", "min_width": "0"},
            tooltip=self.help or self.label,
        )
        # The box has the slider's label too, without width, for screen readers: ipywidgets gives
        # the handle of a slider no name, so the box is the control that they can rely on.
        box = ipywidgets.IntText(
            value=self.value,
            description=self.label,
            style={"description_width": "0"},
            layout={"flex": "0 0 5.4em", "width": "5.4em"},
            tooltip=f"{self.label}: any whole number",
            continuous_update=False,
        )
        following = False  # while the slider follows the box, it must not set the box in return

        def slid(change: dict[str, Any]) -> None:
            if not following:
                box.value = change["new"]

        def typed(change: dict[str, Any]) -> None:
            nonlocal following
            following = True
            slider.value = self.nearest(change["new"])
            following = False
            changed()

        slider.observe(slid, "value")
        box.observe(typed, "value")
        return Bound(self.name, ipywidgets.HBox([slider, box], layout=PLACE), box)


@dataclass(frozen=True)
class Dropdown:
    """One of several values, each with a label; `options` may depend on the other settings."""

    name: str
    label: str
    options: tuple[tuple[str, Any], ...] | Callable[[dict[str, Any]], tuple[tuple[str, Any], ...]]
    value: Any = None
    help: str = ""

    def choices(self, settings: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
        """Return the (label, value) pairs that can be chosen at these settings."""
        return self.options(settings) if callable(self.options) else self.options

    def build(self, changed: Callable[[], None], settings: dict[str, Any]) -> Bound:
        """Return the control's widget; raises `CnnmemError` for a value that is not an option."""
        options = self.choices(settings)
        values = [value for _, value in options]
        if self.value is not None and self.value not in values:
            raise CnnmemError(
                f"{self.name} cannot be {self.value!r}; it can be {', '.join(map(repr, values))}"
            )
        dropdown = ipywidgets.Dropdown(
            options=options,
            value=options[0][1] if self.value is None else self.value,
            description=self.label,
            style={"description_width": LABEL},
            layout=PLACE,
            tooltip=self.help or self.label,
        )
        dropdown.observe(lambda change: changed(), "value")
        return Bound(self.name, dropdown, dropdown)


@dataclass(frozen=True)
class Checkbox:
    """On or off."""

    name: str
    label: str
    value: bool = False
    help: str = ""

    def build(self, changed: Callable[[], None]) -> Bound:
        """Return the control's widget; raises `CnnmemError` for a value that is not a bool."""
        if not isinstance(self.value, bool):
            raise CnnmemError(f"{self.name} is {self.value!r}; give True or False")
        box = ipywidgets.Checkbox(
            value=self.value,
            description=self.label,
            indent=False,
            layout={"width": "auto", "margin": "0 1.5em 0 0"},
            tooltip=self.help or self.label,
        )
        box.observe(lambda change: changed(), "value")
        return Bound(self.name, box, box)


@dataclass(frozen=True)
class Text:
    """A line of text, which counts when the reader presses Enter or leaves the box."""

    name: str
    label: str
    value: str = ""
    help: str = ""

    def build(self, changed: Callable[[], None]) -> Bound:
        """Return the control's widget; raises `CnnmemError` for a value that is not a text."""
        if not isinstance(self.value, str):
            raise CnnmemError(f"{self.name} is {self.value!r}; give a text")
        box = ipywidgets.Text(
            value=self.value,
            description=self.label,
            placeholder=self.help,
            continuous_update=False,
            style={"description_width": LABEL},
            layout={"width": "31em", "max_width": "100%"},
            tooltip=self.help or self.label,
        )
        box.observe(lambda change: changed(), "value")
        return Bound(self.name, box, box)


Control = Slider | Dropdown | Checkbox | Text


@dataclass(frozen=True)
class Bound:
    """A control on the screen: `shown` is its widget, `source` the widget that holds its value."""

    name: str
    shown: ipywidgets.Widget
    source: ipywidgets.Widget

    @property
    def value(self) -> Any:
        """The setting."""
        return self.source.value

    def set(self, value: Any) -> None:
        """Set the control as the reader would; raises `CnnmemError` for an invalid value."""
        if isinstance(self.source, ipywidgets.Dropdown):
            labels = dict(self.source.options)
            if value not in labels.values():
                raise CnnmemError(
                    f"{self.name} cannot be {value!r} here; it can be "
                    + ", ".join(repr(choice) for choice in labels.values())
                )
        wanted = {ipywidgets.Checkbox: bool, ipywidgets.Text: str}.get(type(self.source), int)
        if not isinstance(self.source, ipywidgets.Dropdown) and type(value) is not wanted:
            raise CnnmemError(f"{self.name} cannot be {value!r}; give a {wanted.__name__}")
        self.source.value = value
