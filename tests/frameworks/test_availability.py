"""Detecting what is installed, and the line that says what is left out."""

from __future__ import annotations

import pytest

from cnnmem.errors import UnknownNameError
from cnnmem.frameworks import availability


def test_a_missing_framework_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(availability, "find_spec", lambda name: None)
    assert availability.available("torch", "the measured bytes") is False
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "PyTorch is not installed" in said
    assert "the measured bytes" in said
    assert 'pip install -e ".[torch]"' in said
    assert "missing" in availability.report()


def test_an_installed_framework_is_used_silently(capsys: pytest.CaptureFixture[str]) -> None:
    assert availability.available("ipywidgets", "the explorers") is True
    assert capsys.readouterr().out == ""


def test_the_report_looks_for_every_framework_without_importing_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = []
    monkeypatch.setattr(availability, "find_spec", lambda name: looked.append(name))
    availability.report()
    assert set(looked) == {*availability.FRAMEWORKS, *availability.BACKENDS} - {"keras"}


@pytest.mark.parametrize("backend", [None, "tensorflow", "torch"])
def test_keras_counts_as_installed_with_a_backend_and_runs_on_the_one_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], backend: str | None
) -> None:
    monkeypatch.setattr(
        availability, "find_spec", lambda name: name if name in ("keras", backend) else None
    )
    environment: dict[str, str] = {}
    monkeypatch.setattr(availability.os, "environ", environment)
    assert availability.available("keras", "a Keras model") is (backend is not None)
    assert environment.get("KERAS_BACKEND") == ("torch" if backend == "torch" else None)


def test_an_unknown_framework_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no framework is called 'jax'"):
        availability.installed("jax")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("found", [{"tensorflow", "triton"}, {"tensorflow"}, {"triton"}, set()])
def test_triton_comes_before_tensorflow(
    monkeypatch: pytest.MonkeyPatch, found: set[str], late: bool
) -> None:
    imported: list[str] = []
    monkeypatch.setattr(availability.sys, "modules", {"tensorflow": None} if late else {})
    monkeypatch.setattr(availability, "find_spec", lambda name: name in found or None)
    monkeypatch.setattr(availability, "import_module", imported.append)
    monkeypatch.setattr(availability.os, "environ", {})
    availability.prepare_keras()
    assert imported == (["triton"] if found == {"tensorflow", "triton"} and not late else [])
