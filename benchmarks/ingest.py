"""Measures how fast pairs are ingested, compared with reading the same files on the same cores.

    python benchmarks/ingest.py [--json FILE] [--rounds N] [--pairs N] [--side N] [--resolution N]

The cases take turns. `ingest` is the pipeline as it is: it reads, checks, exposes, crops, resizes,
encodes and audits the pairs, and writes the shards and flushes them to the disk. In the other case
OpenImageIO reads the same files on as many threads and drops the pixels. The pairs are half-float
EXR files with ZIP compression, as renderers write them: smooth shapes with grain, three channels
each for beauty and albedo, and one for the mask. They are in the system's file cache. Last, the
benchmark measures the memory of new processes that ingest N and 10 N pairs.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from measuring import (
    Row,
    argument_parser,
    by_turns,
    memory_row,
    memory_rows,
    paired_ratio,
    rate_row,
    report,
)

from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.raw_pairs import RawPair
from albedo_pipeline.runtime.parallel import usable_cores
from albedo_pipeline.shards.datasets import PairShardsDataset

DIFFERENT = 8
"""Number of different pairs, which the files repeat."""
MEMORY_SIDE = 512


def different_pairs(side: int) -> list[RawPair]:
    """Some pairs of blurred patches, with a light and grain."""
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(DIFFERENT):
        patches = rng.uniform(0.05, 0.9, (12, 12, 3)).astype(np.float32)
        albedo = resize_image(patches, side, side)
        light = resize_image(rng.uniform(0.1, 2, (4, 4, 1)).astype(np.float32), side, side)
        grain = rng.normal(1, 0.02, albedo.shape).astype(np.float32)
        valid = np.ones((side, side), bool)
        valid[: side // 16] = False
        pairs.append(RawPair(f"{number}", "", albedo * light * grain, albedo, valid))
    return pairs


def raw_pairs(folder: Path, count: int, side: int) -> FilenameListDataset:
    """Write `count` pairs as files, in groups of ten; a few pairs repeat."""
    dataset = FilenameListDataset(filepath=str(folder / "raw" / "pairs.txt"))
    pairs = different_pairs(side)

    def named() -> Iterator[RawPair]:
        for number in range(count):
            group, pair = f"scene-{number // 10:05d}", pairs[number % DIFFERENT]
            yield RawPair(f"{group}/{number}", group, pair.beauty, pair.albedo, pair.valid)

    dataset.save(named())
    return dataset


def ingest(
    dataset: FilenameListDataset, folder: Path, resolution: int, workers: int | None = None
) -> None:
    """Ingest all pairs into new shards."""
    params = IngestParams(resolution=resolution, workers=workers)
    # Several shards even in a short turn, as in a long run, so that flushing one is not the end.
    target = PairShardsDataset(filepath=str(folder), samples_per_shard=16)
    target.save(PairBuild(dataset.load(), params))


def ingest_seconds(
    dataset: FilenameListDataset, folder: Path, resolution: int, workers: int | None = None
) -> float:
    """Seconds that `ingest` takes when no shards exist."""
    for leftover in (folder, folder.with_name(f".{folder.name}.ledger")):
        shutil.rmtree(leftover, ignore_errors=True)
    start = time.perf_counter()
    ingest(dataset, folder, resolution, workers)
    return time.perf_counter() - start


def read_file(path: Path) -> None:
    """Read one image as float, and drop it."""
    import OpenImageIO as oiio

    source = oiio.ImageInput.open(str(path))
    source.read_image(oiio.FLOAT)
    source.close()


def read_seconds(paths: list[Path]) -> float:
    """Seconds that reading all files takes on all cores."""
    start = time.perf_counter()
    with ThreadPoolExecutor(usable_cores()) as pool:
        for _ in pool.map(read_file, paths):
            pass
    return time.perf_counter() - start


def memory(folder: Path) -> Row:
    """Memory while the pairs of the folder's list are ingested, MiB."""
    dataset = FilenameListDataset(filepath=str(folder / "raw" / "pairs.txt"))
    return memory_row(partial(ingest, dataset, folder / "pairs", MEMORY_SIDE))


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    parser = argument_parser(__doc__, rounds=9)
    parser.add_argument("--pairs", type=int, default=64, help="pairs of a turn")
    parser.add_argument(
        "--side", type=int, default=1024, help="side of the images in the files, pixels"
    )
    parser.add_argument(
        "--resolution", type=int, default=512, help="side of the stored images, pixels"
    )
    parser.add_argument("--memory-pairs", type=int, default=200, help="N; 0 skips the memory")
    arguments = parser.parse_args()
    rows, ratios = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = raw_pairs(folder, arguments.pairs, arguments.side)
        paths = sorted((folder / "raw").rglob("*.exr"))
        cases = {
            "ingest": partial(ingest_seconds, dataset, folder / "pairs", arguments.resolution),
            "bare read": partial(read_seconds, paths),
        }
        times = by_turns(cases, arguments.rounds)
        rows |= {case: rate_row(seconds, arguments.pairs) for case, seconds in times.items()}
        ratios["ingest_over_bare_read"] = paired_ratio(times["bare read"], times["ingest"])
    if arguments.memory_pairs:
        prepare = partial(raw_pairs, side=MEMORY_SIDE)
        needed, ratio = memory_rows(arguments.memory_pairs, prepare, memory)
        rows, ratios = rows | needed, ratios | ratio
    report(rows, ratios, arguments.json)


if __name__ == "__main__":
    main()
