"""Pausing a training without loss, by a signal or by a time limit."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

logger = logging.getLogger(__name__)
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
PAUSED = 75
"""Exit code of a paused run (EX_TEMPFAIL of sysexits.h): run the same command again."""


class Paused(SystemExit):
    """Ends the process with exit code 75, after the checkpoint was written."""

    def __init__(self) -> None:
        super().__init__(PAUSED)


class StopRequest:
    """Whether the training should pause, and why."""

    def __init__(self, minutes: float | None) -> None:
        """Start the clock; `minutes` from now is the time limit, None is no limit."""
        self._deadline = time.monotonic() + 60 * minutes if minutes else float("inf")
        self.any_process: Callable[[bool], bool] = bool
        """Whether a flag is set in any process; all processes call it together."""
        self.reason = ""
        """Name of the signal, or "the time limit"; empty while nothing asks for a pause."""

    def __call__(self, heeds_time: bool = True) -> bool:
        """Whether any process was asked to pause; all processes must call this together."""
        if heeds_time and not self.reason and time.monotonic() > self._deadline:
            self.reason = "the time limit"
        return self.any_process(bool(self.reason))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for signals that ask for a pause; a second SIGINT interrupts at once."""
        if threading.current_thread() is not threading.main_thread():
            yield  # Python delivers signals to the main thread only
            return
        before = {number: signal.signal(number, self._asked) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.reason == "SIGINT":
            raise KeyboardInterrupt
        self.reason = signal.Signals(number).name
