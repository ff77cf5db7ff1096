"""Cases that take turns, each in a process of its own.

Accelerate's settings are global to a process, so cases of different precision cannot share one.
Each process keeps its model; all but one of them wait on their pipe.
"""

import contextlib
import multiprocessing
import os
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch


class Ended(Exception):
    """No more steps are asked for."""


class Turns:
    """A case calls this before its first step and after every step; it waits where the others
    have their turn. It can stand in for the trainer's `StopRequest`, which is called likewise."""

    reason = ""

    def __init__(self, connection: Connection, device: torch.device) -> None:
        self._connection, self._device = connection, device
        self._left, self._since = 0, time.perf_counter()

    def __call__(self) -> bool:
        """False: go on.

        Raises:
            Ended: after the last turn.
        """
        if not self._left:
            self._wait()
        self._left -= 1
        return False

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self._connection.send(time.perf_counter() - self._since)
        self._left = self._connection.recv()
        if not self._left:
            raise Ended
        self._since = time.perf_counter()


Case = Callable[[Any, Path, Turns], None]
"""Takes settings, a folder of its own, and its turns; steps until `Ended`."""


def _serve(
    connection: Connection, case: Case, settings: Any, folder: Path, device: torch.device
) -> None:
    # The trainer draws a progress bar where it finds a terminal; several would mix.
    with (folder / "stderr.txt").open("w") as log, contextlib.redirect_stderr(log):
        try:
            case(settings, folder, Turns(connection, device))
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
    connection.send(steps)
    return _received(connection, name) / steps


@contextlib.contextmanager
def started(
    cases: dict[str, Case], settings: Any, folder: Path, device: torch.device, steps: int
) -> Iterator[dict[str, Callable[[], float]]]:
    """For every case a function that lets it take `steps` steps, giving the seconds of one."""
    # Threads that spin while they wait would take the cores from the case whose turn it is.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    context = multiprocessing.get_context("spawn")
    connections: dict[str, Connection] = {}
    processes = []
    try:
        for name, case in cases.items():
            own = folder / name.replace(" ", "-")
            own.mkdir()
            connections[name], theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(theirs, case, settings, own, device), daemon=True
            )
            process.start()
            theirs.close()
            processes.append(process)
            _received(connections[name], name)  # ready; one at a time, for memory's sake
        yield {
            name: lambda name=name: _turn(connections[name], name, steps) for name in connections
        }
        for connection in connections.values():
            connection.send(0)
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.kill()
