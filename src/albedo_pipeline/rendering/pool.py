"""Many pictures on all cores."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor

from albedo_pipeline.rendering.render import Render, render_lights
from albedo_pipeline.rendering.settings import RenderSettings
from albedo_pipeline.runtime.parallel import usable_cores

AHEAD = 3
"""Pictures under way or waiting for each process: enough to keep it busy, few enough for memory."""


def render_all(
    seed: int,
    scenes: range,
    views: int,
    relit: int,
    settings: RenderSettings,
    processes: int | None = None,
) -> Iterator[tuple[int, int, int, Render]]:
    """Yield (scene, view, light, Render) of every view of every scene, in that order; the first
    view of each under `relit` further lights too.

    `processes` None takes every core this process may use. The pictures do not depend on it.
    Closing the generator early ends the processes.

    Raises:
        RuntimeError: a view has no usable draw.
        concurrent.futures.process.BrokenProcessPool: a process was killed.
    """
    workers = processes or usable_cores()
    # Spawned, because Mitsuba's threads do not survive a fork.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start)
    try:
        waiting: deque[tuple[int, int, Future[list[Render]]]] = deque()
        for scene, view in ((scene, view) for scene in scenes for view in range(views)):
            lights = 1 if view else 1 + relit
            future = pool.submit(render_lights, seed, scene, view, settings, lights)
            waiting.append((scene, view, future))
            if len(waiting) >= AHEAD * workers:
                yield from _finished(*waiting.popleft())
        while waiting:
            yield from _finished(*waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(
    scene: int, view: int, future: "Future[list[Render]]"
) -> Iterator[tuple[int, int, int, Render]]:
    return ((scene, view, light, render) for light, render in enumerate(future.result()))


def _start() -> None:
    """One thread a process; Ctrl-C goes to the parent, which then ends the processes in order."""
    import drjit

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    drjit.set_thread_count(1)
