"""Progress of long work, with an ETA: a bar on a terminal, else a log line now and then."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
logger = logging.getLogger(__name__)
_LINE_EVERY = 20.0  # seconds


def progress(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yield the items and show how far it is."""
    shown = _bar if sys.stderr.isatty() else _lines
    return shown(items, total, label)


def _bar(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        for item in items:
            yield item
            bar.advance(task)


def _lines(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if done == total or now - last >= _LINE_EVERY:
            eta = timedelta(seconds=round((now - start) / done * (total - done)))
            logger.info("%s: %d of %d, ETA %s", label, done, total, eta)
            last = now
