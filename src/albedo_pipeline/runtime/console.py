"""The console of a run, on which progress bars and other lines never write into each other.

On a terminal a bar is redrawn several times a second, so every line that appears meanwhile has to
go through the same console, which draws the bar again below it. To catch them all, log lines as
well as what C libraries print, the file descriptor of stderr leads to the console for that time.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from rich.console import Console

_STDERR = 2
"""File descriptor."""
_LAST_LINES = 0.2
"""Seconds to wait for the last lines; a child process may hold the pipe open for longer."""


@cache
def console() -> Console:
    """The console on stderr; on a terminal it keeps a file descriptor of its own."""
    if not os.isatty(_STDERR):
        return Console(stderr=True, force_terminal=False, emoji=False)
    own = os.fdopen(os.dup(_STDERR), "w", encoding="utf-8", errors="backslashreplace")
    return Console(file=own, force_terminal=True, emoji=False)


def quiet_libraries() -> None:
    """Turn off the bars that other libraries show while they load models.

    tqdm reads the variable when it is imported. Downloads from the Hub still show their bar, on a
    terminal only.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")


@contextmanager
def stderr_through_console() -> Iterator[None]:
    """Print what is written to stderr through the console, line by line."""
    received, sent = os.pipe()
    saved = os.dup(_STDERR)
    sys.stderr.flush()
    os.dup2(sent, _STDERR)
    os.close(sent)
    reader = threading.Thread(target=_print_lines, args=(received,), daemon=True)
    reader.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, _STDERR)
        os.close(saved)
        reader.join(_LAST_LINES)


def _print_lines(received: int) -> None:
    with os.fdopen(received, encoding="utf-8", errors="backslashreplace") as lines:
        for line in lines:
            if line.strip():
                console().print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
