"""Runs training loops interleaved: each case takes one or a few steps at a time, in turns.

Accelerate's settings are global to a process, so cases of different precision run in processes of
their own; all but one of these wait at their pipe. Two processes with the same code, or two
threads, can differ by a tenth in speed, so cases that are compared closely share a thread. One of
them, the host, has a loop of its own. The others are its guests: functions that take one step,
which the host calls while it waits for its turn.
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
    """Raised in a host's loop when no more steps are needed."""


class Turns:
    """The turns of a host, which calls this object before its first step and after every step.

    It can replace the trainer's `StopRequest`, which the trainer calls at the same places.
    """

    def __init__(
        self, connection: Connection, device: torch.device, guests: dict[str, Callable[[], None]]
    ) -> None:
        self._connection, self._device, self._guests = connection, device, guests
        self._steps_left, self._since = 0, time.perf_counter()

    def __call__(self) -> bool:
        """Wait for the next turn after the last step of this one; always False, which means: go on.

        Raises:
            Ended: after the last turn.
        """
        if not self._steps_left:
            self._send_seconds()
            self._wait()
        self._steps_left -= 1
        return False

    def _send_seconds(self) -> None:
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
                self._steps_left = steps
                return
            for _ in range(steps):
                self._guests[name]()
            self._send_seconds()


Host = Callable[[Any, Path, Turns], None]
"""A function of settings, a folder of its own, and its turns, which steps until `Ended`."""
Guest = Callable[[Any], Callable[[], None]]
"""A function of settings that returns the function that takes one step."""


@dataclass
class Group:
    """Cases that share a process."""

    host: tuple[str, Host] | None = None
    guests: dict[str, Guest] = field(default_factory=dict)


def _serve(connection: Connection, group: Group, settings: Any, folder: Path) -> None:
    """The main function of a group's process."""
    # The trainer draws a progress bar if it has a terminal; the bars of several would mix.
    with (folder / "stderr.txt").open("w") as log, contextlib.redirect_stderr(log):
        try:
            guests = {name: prepare(settings) for name, prepare in group.guests.items()}
            turns = Turns(connection, torch.device(settings.device), guests)
            if group.host:
                group.host[1](settings, folder, turns)
            turns()  # a group without a host
        except Ended:
            pass
        except Exception:
            connection.send(traceback.format_exc())


def _received(connection: Connection, name: str) -> float:
    """The seconds that a process sends; ends the program if it sends an error instead."""
    try:
        message = connection.recv()
    except EOFError:
        message = "its process died (out of memory?)"
    if isinstance(message, str):
        raise SystemExit(f"{name}: {message}")
    return message


def _turn(connection: Connection, name: str, steps: int) -> float:
    connection.send((name, steps))
    return _received(connection, name) / steps


@contextlib.contextmanager
def started(
    groups: dict[str, Group], settings: Any, folder: Path, steps: int
) -> Iterator[dict[str, Callable[[], float]]]:
    """Start all processes; yield a function per case, which runs `steps` steps and returns the
    seconds of one step."""
    context = multiprocessing.get_context("spawn")
    connections: list[Connection] = []
    processes, turns = [], {}
    try:
        for title, group in groups.items():
            group_folder = folder / title.replace(" ", "-")
            group_folder.mkdir()
            ours, theirs = context.Pipe()
            processes.append(
                context.Process(
                    target=_serve, args=(theirs, group, settings, group_folder), daemon=True
                )
            )
            processes[-1].start()
            theirs.close()
            connections.append(ours)
            _received(
                ours, title
            )  # wait until it is ready: two that start at once need more memory
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
