"""Progress of long work with an ETA: a bar on a terminal, otherwise a log line every 20 seconds."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from albedo_pipeline.runtime.console import console, stderr_through_console

T = TypeVar("T")
logger = logging.getLogger(__name__)
_LINE_EVERY = 20.0
"""Seconds between two log lines."""
_BAR_WIDTH = 20
"""Columns, so that a label and the numbers fit beside it on a terminal of 80 columns."""


def progress(
    items: Iterable[T],
    total: int,
    label: str,
    done: int = 0,
    status: Callable[[], str] = lambda: "",
) -> Iterator[T]:
    """Yield the items, and show how many of them are done.

    Args:
        items: what is worked on; an item is done when the next one is asked for.
        total: number of all items, including those that an earlier run has done.
        label: name of the work.
        done: number of items that an earlier run has done.
        status: returns a text that is shown after the numbers, such as the loss.
    """
    show = _bar if console().is_terminal else _lines
    return show(items, total, label, done, status)


def stop_bars() -> None:
    """Remove all bars, also those of work that an error ended; the terminal is as it was."""
    _DISPLAY.stop()


class _Display:
    """All bars of the process; they are drawn while there is one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._drawn = ExitStack()
        self._bars: Progress | None = None

    def add(self, label: str, total: int, done: int) -> tuple[Progress, TaskID]:
        with self._lock:
            if self._bars is None:
                self._bars = self._drawn.enter_context(_new_bars())
                self._drawn.enter_context(stderr_through_console())
            return self._bars, self._bars.add_task(label, total=total, completed=done, status="")

    def remove(self, bars: Progress, task: TaskID) -> None:
        """Remove a bar; the last one stays on the terminal, and is no longer redrawn."""
        with self._lock:
            if bars is not self._bars:
                return
            if len(bars.task_ids) == 1:
                self.stop()
            else:
                bars.remove_task(task)

    def stop(self) -> None:
        with self._lock:
            self._drawn.close()
            self._bars = None


_DISPLAY = _Display()


def _new_bars() -> Progress:
    one_line = Column(no_wrap=True, overflow="ellipsis")
    return Progress(
        TextColumn("{task.description}", table_column=one_line, markup=False),
        BarColumn(_BAR_WIDTH),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}", table_column=one_line.copy(), markup=False),
        console=console(),
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,  # its file descriptor is redirected
    )


def _bar(
    items: Iterable[T], total: int, label: str, done: int, status: Callable[[], str]
) -> Iterator[T]:
    bars, task = _DISPLAY.add(label, total, done)
    try:
        for item in items:
            yield item
            bars.update(task, advance=1, status=status())
    finally:
        _DISPLAY.remove(bars, task)


def _lines(
    items: Iterable[T], total: int, label: str, done: int, status: Callable[[], str]
) -> Iterator[T]:
    start = last = time.monotonic()
    before = done
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if done == total or now - last >= _LINE_EVERY:
            eta = timedelta(seconds=round((now - start) / (done - before) * (total - done)))
            text = status()
            ending = f", {text}" if text else ""
            logger.info("%s: %d of %d, ETA %s%s", label, done, total, eta, ending)
            last = now
