"""Progress: lines in a log without a terminal, a bar on one."""

import fcntl
import logging
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest

from albedo_pipeline.runtime import progress as progress_module
from albedo_pipeline.runtime.progress import progress
from tests.support.terminal import replay


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


WORK = """
import logging, os
from albedo_pipeline.runtime.progress import progress, stop_bars
logging.basicConfig(level=logging.INFO, format="LOG %(message)s")
for image in progress(range(2), 2, "images", status=lambda: "loss 0.1"):
    for tile in progress(range(3), 3, "tiles"):
        logging.info("image %d, tile %d, " + "long " * 30, image, tile)
        os.write(2, b"a C library's line\\n")
print("between", flush=True)
try:
    for image in progress(range(9), 9, "more"):
        raise ValueError("stopped")
finally:
    stop_bars()
"""


@pytest.fixture(scope="module")
def screen() -> list[str]:
    """The lines that a terminal shows after the work above."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    command = [sys.executable, "-c", WORK]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # on Linux the end of a terminal is an error
            while block := os.read(ours, 1 << 16):
                shown += block
    os.close(ours)
    assert process.returncode == 1
    return replay(shown.decode())


def test_on_a_terminal_lines_appear_whole_above_the_bars(screen: list[str]) -> None:
    expected = []
    for image in range(2):
        for tile in range(3):
            text = f"LOG image {image}, tile {tile}, " + "long " * 30
            expected += [text.rstrip(), "a C library's line"]
    assert screen[: len(expected)] == expected
    assert screen[len(expected) + 1] == "between"


def test_on_a_terminal_the_last_bar_stays_and_inner_ones_do_not(screen: list[str]) -> None:
    bars = [line.split() for line in screen if "━" in line]
    assert [(bar[0], bar[2:]) for bar in bars] == [
        ("images", ["2/2", "0:00:00", "loss", "0.1"]),
        ("more", ["0/9", "-:--:--"]),
    ]


def test_an_error_appears_whole_below_the_bar(screen: list[str]) -> None:
    place = next(number for number, line in enumerate(screen) if line.startswith("more"))
    assert screen[place + 1] == "Traceback (most recent call last):"
    assert screen[-1] == "ValueError: stopped"
