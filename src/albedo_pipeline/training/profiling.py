"""A profile of some optimiser steps: a trace, and a table of the costliest operations."""

import logging
from collections.abc import Generator, Iterable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from albedo_pipeline.params.optimisation import Profile

logger = logging.getLogger(__name__)
_ROWS = 10
"""Operations in the table."""


def profiled(steps: Iterable[int], params: Profile | None, folder: Path) -> Generator[int]:
    """Yield the steps, and profile what is done between the steps that `params` names.

    Args:
        steps: numbers of the steps (0-based), in order.
        params: which steps are profiled; None: no step.
        folder: gets `steps-<first>-to-<last>.json`, which chrome://tracing and Perfetto open, and
            a table of the same name with the ending `.txt`.
    """
    if params is None:
        yield from steps
        return
    wanted = range(params.start, params.start + params.steps)
    done: list[int] = []
    profiler = profile(activities=_activities())
    try:
        for step in steps:
            if step in wanted and not done:
                profiler.start()
            if step in wanted:
                done.append(step)
            yield step
            if step == wanted[-1] and done:
                _write(profiler, folder, done)
                done = []
    finally:
        if done:  # the training ended or was paused first
            _write(profiler, folder, done)


def _activities() -> list[ProfilerActivity]:
    gpu = [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
    return [ProfilerActivity.CPU, *gpu]


def _write(profiler: profile, folder: Path, steps: list[int]) -> None:
    profiler.stop()
    folder.mkdir(parents=True, exist_ok=True)
    name = f"steps-{steps[0]}-to-{steps[-1]}"
    profiler.export_chrome_trace(str(folder / f"{name}.json"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    table = profiler.key_averages().table(sort_by=f"self_{device}_time_total", row_limit=_ROWS)
    (folder / f"{name}.txt").write_text(table, encoding="utf-8")
    logger.info("train: the profile of %d step(s) is in %s:\n%s", len(steps), folder, table)
