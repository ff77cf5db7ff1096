"""Progress: lines in a log without a terminal, a bar on one."""

import logging
from collections.abc import Iterator
from itertools import count

import pytest

from albedo_pipeline.runtime import progress as progress_module
from albedo_pipeline.runtime.progress import progress


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A clock that moves by nine seconds each time it is read."""
    times = count(0, 9)
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(times))
    return times


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == progress_module.__name__]


def test_items_pass_unchanged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert list(progress("abc", 3, "work")) == ["a", "b", "c"]
    assert lines(caplog) == ["work: 3 of 3, ETA 0:00:00"]


def test_a_line_comes_every_twenty_seconds(clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    list(progress(range(6), 6, "work", status=lambda: "loss 0.1"))
    assert lines(caplog) == [
        "work: 3 of 6, ETA 0:00:27, loss 0.1",
        "work: 6 of 6, ETA 0:00:00, loss 0.1",
    ]


def test_the_eta_does_not_count_what_was_done_before(
    clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    list(progress(range(3), 10, "work", done=4))
    assert lines(caplog) == ["work: 7 of 10, ETA 0:00:27"]


def test_on_a_terminal_there_is_a_bar_and_no_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    caplog.set_level(logging.INFO)
    assert list(progress(range(3), 3, "work", status=lambda: "loss 0.1")) == [0, 1, 2]
    assert lines(caplog) == []
    assert "work" in capsys.readouterr().err
