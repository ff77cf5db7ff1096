"""Cases that take turns, one step or a few at a time.

Accelerate's settings are global to a process, so cases of different precision have processes of
their own, all but one of which wait on their pipe. But two processes, and two threads, were
seen to differ by a tenth in speed for no reason in their code: cases that are compared closely run
on one thread. One of them, the host, has a loop of its own; the others are its guests, functions
that it calls while it waits for its turn.
"""

import contextlib
import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch


class Ended(Exception):
    """No more steps are asked for."""


class Turns:
    """A host calls this before its first step and after every step. It can stand in for the
    trainer's `StopRequest`, which is called likewise."""

    reason = ""

    def __init__(
        self, connection: Connection, device: torch.device, guests: dict[str, Callable[[], None]]
    ) -> None:
        self._connection, self._device, self._guests = connection, device, guests
        self._left, self._since = 0, time.perf_counter()

    def __call__(self) -> bool:
        """False: go on.

        Raises:
            Ended: after the last turn.
        """
        if not self._left:
            self._answer()
            self._wait()
        self._left -= 1
        return False

    def _answer(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self._connection.send(time.perf_counter() - self._since)

    def _wait(self) -> None:
        while True:
            name, steps = self._connection.recv()
            if not steps:
                raise Ended
            self._since = time.perf_counter()
            if name not in self._guests:
                self._left = steps
                return
            for _ in range(steps):
                self._guests[name]()
            self._answer()


Host = Callable[[Any, Path, Turns], None]
"""Takes settings, a folder of its own, and its turns; steps until `Ended`."""
Guest = Callable[[Any], Callable[[], None]]
"""From settings to the function that takes one step."""


@dataclass
class Group:
    """What shares a process."""

    host: tuple[str, Host] | None = None
    guests: dict[str, Guest] = field(default_factory=dict)


def _serve(connection: Connection, group: Group, settings: Any, folder: Path) -> None:
    """A process."""
    # The trainer draws a progress bar where it finds a terminal; several would mix.
    with (folder / "stderr.txt").open("w") as log, contextlib.redirect_stderr(log):
        try:
            guests = {name: prepare(settings) for name, prepare in group.guests.items()}
            turns = Turns(connection, torch.device(settings.device), guests)
            if group.host:
                group.host[1](settings, folder, turns)
            turns()  # guests alone
        except Ended:
            pass
        except Exception:
            connection.send(traceback.format_exc())


def _received(connection: Connection, name: str) -> float:
    try:
        answer = connection.recv()
    except EOFError:
        answer = "its process died (out of memory?)"
    if isinstance(answer, str):
        raise SystemExit(f"{name}: {answer}")
    return answer


def _turn(connection: Connection, name: str, steps: int) -> float:
    connection.send((name, steps))
    return _received(connection, name) / steps


@contextlib.contextmanager
def started(
    groups: dict[str, Group], settings: Any, folder: Path, steps: int
) -> Iterator[dict[str, Callable[[], float]]]:
    """For every case a function that lets it take `steps` steps, giving the seconds of one."""
    context = multiprocessing.get_context("spawn")
    connections: list[Connection] = []
    processes, turns = [], {}
    try:
        for title, group in groups.items():
            own = folder / title.replace(" ", "-")
            own.mkdir()
            ours, theirs = context.Pipe()
            processes.append(
                context.Process(target=_serve, args=(theirs, group, settings, own), daemon=True)
            )
            processes[-1].start()
            theirs.close()
            connections.append(ours)
            _received(ours, title)  # ready; one at a time, for memory's sake
            for name in (*([group.host[0]] if group.host else []), *group.guests):
                turns[name] = lambda name=name, pipe=ours: _turn(pipe, name, steps)
        yield turns
        for connection in connections:
            connection.send(("", 0))
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.kill()
