"""Measures what grows with the number of samples, on synthetic rows of a few bytes.

    python benchmarks/many_samples.py [--json FILE] [--rounds N] [--samples N …]

For each number of samples, a new process measures the seconds, also those of the processor, and the
memory, kept and at most, of: the references of a list, and its split; the sources of `ingest` and
of `encode`, divided into chunks; the ledger of finished chunks, written, read and gathered; the
index; opening all shards; their scalars, and the fingerprint; the manifest, made, with its digests,
stored and loaded; the comparison of manifest and pairs; the search for duplicates, and for near
ones among random codes; the order of an epoch. The table is per sample, so what is constant from
row to row can be multiplied by any number of samples. Shards hold 256 samples each, as for latents,
with the 34 scalars of a pair. The files that the list names do not exist.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from measuring import Row, argument_parser, in_fresh_process, memory_row, report
from row_build import write_shard

from albedo_pipeline.artifacts.tables import ManifestDataset
from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.params.ingest import IngestParams, SplitParams
from albedo_pipeline.preprocessing import duplicates
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.manifest import manifest_of
from albedo_pipeline.preprocessing.splits import published_split
from albedo_pipeline.provenance.lineage import check_manifest, manifest_digest, with_table_digests
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.shards.build import divided
from albedo_pipeline.shards.index import Index, publish, read_index
from albedo_pipeline.shards.ledger import BuildLedger
from albedo_pipeline.shards.manifest_sources import ManifestSources
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.previous_rows import PreviousRows, digests_of

PER_SHARD = 256
TEXTS = [f"text_{number}" for number in range(7)]
NUMBERS = [f"number_{number}" for number in range(17)]
SIZES = [f"size_{number}" for number in range(6)]
"""Columns beside those that are used: as many of each type as a pair has."""
PROCESSOR = "processor_us_per_sample"
"""Time of the processor, which hardly depends on what else the machine does."""


def write_shards(folder: Path, samples: int) -> list[str]:
    """Shards of rows with the scalars of a pair and tensors of a few bytes."""
    codes = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, samples)
    tiny = np.zeros((1, 1, 1), np.uint8)
    return [
        write_shard(
            folder,
            (
                {
                    "sample_id": f"scene-{i // 10:07d}/{i:08d}",
                    "group": f"scene-{i // 10:07d}",
                    **dict.fromkeys(TEXTS, "declared"),
                    **dict.fromkeys(NUMBERS, 1 + i / 7),
                    **dict.fromkeys(SIZES, 512),
                    "look": int(codes[i]),
                    "beauty": np.full((3, 1, 1), i % 65536, np.uint16),
                    "albedo": np.full((3, 1, 1), i // 65536, np.uint16),
                    "valid": tiny,
                }
                for i in range(first, min(samples, first + PER_SHARD))
            ),
        )
        for first in range(0, samples, PER_SHARD)
    ]


def measured(rows: dict[str, Row], name: str, samples: int, work: Callable[[], object]) -> object:
    """The result of some work; its time and the memory that it takes and keeps, per sample."""
    result, seconds, processor = None, 0.0, 0.0

    def timed() -> None:
        nonlocal result, seconds, processor
        start, processor_start = time.perf_counter(), time.process_time()
        result = work()
        seconds, processor = time.perf_counter() - start, time.process_time() - processor_start
        gc.collect()
        pa.default_memory_pool().release_unused()

    gc.collect()
    memory = memory_row(timed)
    rows[f"{name}, {samples}"] = {
        "us_per_sample": seconds / samples * 1e6,
        PROCESSOR: processor / samples * 1e6,
        **{
            f"{name}_bytes_per_sample": max(0.0, memory[key] - memory["before_mib"])
            * 2**20
            / samples
            for name, key in (("kept", "after_mib"), ("most", "highest_mib"))
        },
    }
    return result


def write_list(path: Path, samples: int) -> None:
    """A list that names three files for each sample."""
    with path.open("w", encoding="utf-8") as file:
        for i in range(samples):
            name = f"scene-{i // 10:07d}/{i:08d}"
            file.write(f"{name}_beauty.exr {name}_albedo.exr {name}_mask.exr\n")


def measure(samples: int) -> dict[str, Row]:
    """All rows of the table for one number of samples."""
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pairs"
        folder.mkdir()
        shards = write_shards(folder, samples)
        listed = Path(name) / "pairs.txt"
        write_list(listed, samples)

        def run(label: str, work: Callable[[], Any]) -> Any:
            return measured(rows, label, samples, work)

        reader = FilenameListDataset(filepath=str(listed))
        references = run("references of a list", reader.load)
        run("references, split", lambda: published_split(references, SplitParams()))
        build = PairBuild(references, IngestParams(resolution=512))
        bounds, digests = run(
            "sources of ingest, chunks", lambda: divided(build.sources, PER_SHARD)
        )
        ledger = BuildLedger(folder, "key")

        keys = run(
            "keys of the chunks", lambda: [ledger.key(digests_of(digests, c)) for c in bounds]
        )

        def record() -> None:
            for place, (key, chunk) in enumerate(zip(keys, bounds, strict=True)):
                shard = shards[min(place, len(shards) - 1)]
                ledger.record(key, shard, digests_of(digests, chunk), [1] * len(chunk), {})

        run("ledger, write", record)
        run("ledger, read while it is built", ledger.chunks)
        run("ledger, publish", lambda: ledger.publish(keys))
        run("ledger, read", ledger.chunks)
        run("ledger, rows of all chunks", lambda: PreviousRows(ledger.rows(keys)))
        run("index, write", lambda: publish(folder, Index(shards)))
        run("index, read", lambda: read_index(folder))
        pairs = run("open shards", lambda: PairShards(folder))
        run("fingerprint", pairs.fingerprint)
        run("scalars in one table", lambda: pairs.scalars)
        manifest = run("manifest, made", lambda: manifest_of(pairs, SplitParams()))
        codes = manifest["look"].to_numpy(np.int64).view(np.uint64)
        run("exact duplicates", lambda: duplicates._first_equal(manifest["digest"]))
        groups = np.arange(samples) // 10
        run("near duplicates", lambda: sum(1 for _ in duplicates._candidates(codes, groups)))
        run("manifest, digest of pairs", lambda: manifest_digest(manifest))
        described = run("manifest, digest of the table", lambda: with_table_digests(manifest, {}))
        dataset = ManifestDataset(filepath=str(Path(name) / "manifest.parquet"))
        run("manifest, stored", partial(dataset.save, described))
        del manifest, described
        manifest = run("manifest, loaded", dataset.load)
        run("manifest, check", lambda: check_manifest(manifest))
        run("manifest and pairs", lambda: pairs.check_manifest(manifest))
        sources = run(
            "sources of encode", lambda: ManifestSources(manifest, np.arange(len(manifest)))
        )
        run("sources of encode, chunks", lambda: divided(sources, PER_SHARD))
        run("epoch", lambda: generator(1, Purpose.ORDER, 0).permutation(samples))
    return rows


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    parser = argument_parser(__doc__, rounds=1)
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    arguments: argparse.Namespace = parser.parse_args()
    rows: dict[str, Row] = {}
    for samples in arguments.samples:
        for _ in range(arguments.rounds):
            for name, row in in_fresh_process(measure, samples).items():
                best = rows.get(name, row)
                rows[name] = row if row[PROCESSOR] <= best[PROCESSOR] else best
    report(rows, {}, arguments.json)


if __name__ == "__main__":
    main()
