"""Measures how fast batches of the training come from the disk, and how much memory that takes.

    python benchmarks/loader.py [--json FILE] [--rounds N] [--samples N]

The cases take turns: `Stream.batch` on two threads, as the trainer draws its batches ahead; a copy
of as many bytes from memory to memory; and drawing the noise alone, which is a part of the first
case. A sample has the size of Stable Diffusion's latents, 139 KB. 11 N samples are written to a
temporary folder, and are then in the system's file cache. Before that, the benchmark measures the
memory of new processes that read one epoch of N and of 10 N samples.
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from inputs import LATENT_CHANNELS, random_latents
from measuring import (
    Row,
    argument_parser,
    by_turns,
    in_fresh_process,
    paired_ratio,
    rate_row,
    report,
    resident,
)

from albedo_pipeline.diffusion.noise import gaussian
from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.params import TrainParams
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.batches import Batch, Stream, usable

SIDE = 64
READERS = 2
SIZES = (1, 10)
"""Sizes of the sets whose memory is compared, as multiples of `--samples`."""


def new_stream(folder: Path, batch: int) -> Stream:
    """The samples of a training in their order."""
    params = TrainParams.model_validate(
        {
            "effective_batch_size": batch,
            "micro_batch_size": batch,
            "max_steps": 1,
            "learning_rate": {"peak": 1e-4},
        }
    )
    return Stream([usable(LatentShards(folder), "train")], params)


def seconds(work: Callable[[int], object], steps: Iterator[int], batches: int) -> float:
    """Seconds of `work` for the next `batches` steps, on as many threads as the trainer uses."""
    start = time.perf_counter()
    for _ in ordered_map(work, [next(steps) for _ in range(batches)], READERS):
        pass
    return time.perf_counter() - start


def arrays(batch: Batch) -> list[np.ndarray]:
    """All arrays of a batch."""
    return [getattr(batch, field.name).numpy() for field in fields(batch)]


def copy_seconds(preloaded: list[list[np.ndarray]]) -> float:
    """Seconds that a copy of every batch takes."""
    start = time.perf_counter()
    for batch in preloaded:
        for array in batch:
            array.copy()
    return time.perf_counter() - start


def draw_noise(step: int, batch: int) -> list:
    """Draw the noise of a step as the stream does."""
    shape = (LATENT_CHANNELS, SIDE, SIDE)
    return [gaussian(generator(0, Purpose.NOISE, step, place), shape) for place in range(batch)]


def speed_times(folder: Path, batch: int, batches: int, rounds: int) -> dict[str, list[float]]:
    """Seconds that each case takes for `batches` batches."""
    stream = new_stream(folder, batch)
    places = range(batch)
    preloaded = [arrays(stream.batch(step, places)) for step in range(batches)]
    cases = {
        "stream": partial(seconds, lambda step: stream.batch(step, places), count(), batches),
        "memory copy": partial(copy_seconds, preloaded),
        "noise alone": partial(seconds, partial(draw_noise, batch=batch), count(), batches),
    }
    return by_turns(cases, rounds)


def epoch_memory(folder: Path, batch: int) -> Row:
    """Memory before the set is opened, at most while an epoch is read, and after it, MiB."""
    before = resident()
    stream = new_stream(folder, batch)
    steps = range(len(stream) // batch)
    read: Iterable[Batch] = ordered_map(lambda s: stream.batch(s, range(batch)), steps, READERS)
    highest = max(resident() for _ in read)
    return {"before_mib": before, "highest_mib": highest, "after_mib": resident()}


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    parser = argument_parser(__doc__, rounds=15)
    parser.add_argument("--samples", type=int, default=2000, help="N; each needs 1.5 MB of disk")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--batches", type=int, default=8, help="batches of a turn")
    arguments = parser.parse_args()
    batch, batches = arguments.batch, arguments.batches
    if arguments.samples < batch:
        parser.error("--samples must be at least --batch")
    with tempfile.TemporaryDirectory() as name:
        folders = {size: Path(name) / str(size) for size in SIZES}
        for size, folder in folders.items():
            random_latents(folder, size * arguments.samples, SIDE)
        memory = {
            size: in_fresh_process(epoch_memory, folder, batch) for size, folder in folders.items()
        }
        times = speed_times(folders[SIZES[0]], batch, batches, arguments.rounds)
    rows = {name: rate_row(t, batch * batches) for name, t in times.items()}
    rows |= {f"memory, {size * arguments.samples} samples": row for size, row in memory.items()}
    small, large = (memory[size] for size in SIZES)
    ratios = {
        "stream_over_memory_copy": paired_ratio(times["memory copy"], times["stream"]),
        "noise_share_of_stream": paired_ratio(times["noise alone"], times["stream"]),
        "memory_10n_over_n": large["after_mib"] / small["after_mib"],
        "highest_memory_10n_over_n": large["highest_mib"] / small["highest_mib"],
    }
    report(rows, ratios, arguments.json)


if __name__ == "__main__":
    main()
