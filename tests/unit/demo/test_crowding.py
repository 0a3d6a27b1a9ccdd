"""A machine without time for a demo is named as the reason before anything fails."""

import os

import pytest

from tminus.demo.crowding import crowding, told


@pytest.mark.parametrize(("wanting", "cores"), [(0.0, 1), (1.5, 1), (3.0, 2), (11.9, 8)])
def test_a_machine_with_time_is_not_spoken_of(wanting: float, cores: int) -> None:
    assert told(wanting, cores) == ""


def test_a_busy_machine_is_told_with_its_figures_and_what_may_come_of_it() -> None:
    words = told(8.64, 2)
    assert "8.6 processes wanted its 2 cores" in words
    assert "NO-GO" in words
    assert "end what else runs" in words


def test_it_is_this_machine_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (97.0, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert crowding() == told(97.0, 4)


def test_a_machine_that_does_not_tell_its_load_is_not_called_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[float, float, float]:
        raise OSError("load average is unobtainable")

    monkeypatch.setattr(os, "getloadavg", refuse)
    assert crowding() == ""
