"""Progress of long work with an ETA: a bar on a terminal, otherwise a log line every 20 seconds."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
logger = logging.getLogger(__name__)
_LINE_EVERY = 20.0
"""Seconds between two log lines."""


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
    show = _bar if sys.stderr.isatty() else _lines
    return show(items, total, label, done, status)


def _bar(
    items: Iterable[T], total: int, label: str, done: int, status: Callable[[], str]
) -> Iterator[T]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, completed=done, status="")
        for item in items:
            yield item
            bar.update(task, advance=1, status=status())


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
