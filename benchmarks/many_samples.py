"""Measures what grows with the number of samples, on synthetic rows of a few bytes.

    python benchmarks/many_samples.py [--json FILE] [--rounds N] [--samples N …]

For each number of samples, a new process measures the seconds, also those of the processor, and the
memory of: dividing the sources into chunks; the ledger of finished chunks, written, read and
gathered; the index; opening all shards; the fingerprint; the manifest as a table, with its digest;
the comparison of manifest and pairs; the search for duplicates, and for near ones among random
codes; the order of an epoch. The table is per sample, so what is constant from row to row can be
multiplied by any number of samples. Shards hold 256 samples each, as for latents.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measuring import Row, argument_parser, in_fresh_process, report, resident
from row_build import write_shard

from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.params.ingest import SplitParams
from albedo_pipeline.preprocessing import duplicates
from albedo_pipeline.preprocessing.manifest import manifest_of
from albedo_pipeline.provenance.lineage import check_manifest, manifest_digest, with_table_digests
from albedo_pipeline.shards.build import divided
from albedo_pipeline.shards.index import Index, Source, publish, read_index
from albedo_pipeline.shards.ledger import BuildLedger
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.previous_rows import PreviousRows, digests_of

PER_SHARD = 256
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
                    "exposure": 1 + i / 7,
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
    """The result of some work; its time and the memory that its result takes, per sample."""
    gc.collect()
    before, start, processor = resident(), time.perf_counter(), time.process_time()
    result = work()
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    gc.collect()
    rows[f"{name}, {samples}"] = {
        "us_per_sample": seconds / samples * 1e6,
        PROCESSOR: processor / samples * 1e6,
        "kept_bytes_per_sample": max(0.0, resident() - before) * 2**20 / samples,
    }
    return result


def measure(samples: int) -> dict[str, Row]:
    """All rows of the table for one number of samples."""
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pairs"
        folder.mkdir()
        shards = write_shards(folder, samples)
        sources = [Source(f"s{i:08d}", f"file:{i}:1234567") for i in range(samples)]

        def run(label: str, work: Callable[[], object]) -> object:
            return measured(rows, label, samples, work)

        bounds, digests = run(
            "chunks, and digests of the sources", lambda: divided(sources, PER_SHARD)
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
        manifest = run("manifest", lambda: manifest_of(pairs, SplitParams()))
        run("manifest, digest of pairs", lambda: manifest_digest(manifest))
        table = run("manifest, digest of the table", lambda: with_table_digests(manifest, {}))
        run("manifest, check", lambda: check_manifest(table))
        run("manifest and pairs", lambda: pairs.check_manifest(manifest))
        codes = manifest["look"].to_numpy(np.int64).view(np.uint64)
        groups = np.arange(samples) // 10
        run("exact duplicates", lambda: duplicates._first_equal(manifest["digest"]))
        run("near duplicates", lambda: sum(1 for _ in duplicates._candidates(codes, groups)))
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
