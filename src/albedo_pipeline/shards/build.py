"""Shard builds, run chunk by chunk; the contract is stated in `albedo_pipeline.shards`."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from albedo_pipeline.errors import ProjectError, UnreachableError
from albedo_pipeline.params.compute import ComputeParams
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.parallel import ordered_map, usable_cores
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.runtime.ray_pool import Cluster, ray_map
from albedo_pipeline.runtime.storage import PARALLEL_REQUESTS, is_remote
from albedo_pipeline.shards.chunks import ChunkWork, ChunkWriter, Results
from albedo_pipeline.shards.index import Index, Rejected, Source, publish, sweep_partial
from albedo_pipeline.shards.ledger import BuildLedger, Chunk
from albedo_pipeline.shards.previous_rows import (
    DIGEST_BYTES,
    PreviousRows,
    digests_of,
    source_digest,
)
from albedo_pipeline.shards.shard_file import open_shard

logger = logging.getLogger(__name__)
_LONGEST_CHUNK = 4
"""Number of sources in the longest chunk, as a multiple of the mean number."""


class ShardBuild(Protocol):
    """What makes the rows of a folder of shards."""

    @property
    def label(self) -> str:
        """Name of the build in progress lines and errors."""

    @property
    def cache_key(self) -> str:
        """Digest of everything but the sources that the rows depend on."""

    @property
    def sources(self) -> Iterable[Source]:
        """What the rows are made from, in the order of the rows; they are asked for once."""

    @property
    def companions(self) -> int:
        """Number of companion files beside the sources; see `runtime.companions`."""

    @property
    def compute(self) -> ComputeParams:
        """Where the chunks are made."""

    @property
    def make(self) -> Callable[[Iterable[Sequence[Any]]], Results]:
        """Function that makes rows; it is sent to every worker.

        Args:
            chunks: items of the wanted sources, chunk by chunk. The function yields, in this order,
                the rows of each source, or the reason why it has none.
        """

    def item(self, source: int) -> Any:
        """What `make` needs to know of a source, by the source's place; it is sent to a worker."""

    def check_rejected(self, rejected: list[Rejected]) -> None:
        """Called after each rejection, with all of them so far.

        Raises:
            ProjectError: if they are too many.
        """


def chunk_bounds(names: Iterable[str], mean: int) -> list[range]:
    """Divide the names into runs of about `mean` that end where a name's digest says so."""
    bounds, start, stop = [], 0, 0
    for stop, name in enumerate(names, 1):
        is_end = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % mean == 0
        if is_end or stop - start == _LONGEST_CHUNK * mean:
            bounds.append(range(start, stop))
            start = stop
    return [*bounds, range(start, stop)] if stop > start else bounds


def divided(sources: Iterable[Source], mean: int) -> tuple[list[range], bytes]:
    """The `chunk_bounds` of the sources, and their joined digests: 16 bytes for each."""
    digests = bytearray()

    def names() -> Iterator[str]:
        for source in sources:
            digests.extend(source_digest(source))
            yield source.name

    return chunk_bounds(names(), mean), bytes(digests)


def write_build(folder: Path, build: ShardBuild, mean: int) -> None:
    """Make the chunks that are missing, then publish the folder.

    Args:
        folder: where the shards are written; with Ray, object storage or a folder that all nodes
            share.
        build: what makes the rows.
        mean: mean number of sources in a chunk.

    Raises:
        ProjectError: if another run writes to the folder, too many sources are rejected, or no row
            is made.
    """
    with locked(folder, f"another {build.label}") as check_held:
        index, keys, ledger = _made(folder, build, mean)
        check_held()
        publish(folder, index)
        ledger.publish(keys)


def _made(folder: Path, build: ShardBuild, mean: int) -> tuple[Index, list[str], BuildLedger]:
    """Make what is missing; returns the index, and the chunks' records that are still needed."""
    ledger = BuildLedger(folder, build.cache_key)
    chunks, digests = divided(build.sources, mean)
    keys = [ledger.key(digests_of(digests, chunk)) for chunk in chunks]
    sweep_partial(folder)
    known = ledger.chunks()
    damaged = _remove_damaged(folder, known.values())
    known = {key: chunk for key, chunk in known.items() if chunk.shard not in damaged}
    finished = {key: known[key] for key in keys if key in known and known[key].is_final}
    missing = {key: chunk for key, chunk in zip(keys, chunks, strict=True) if key not in finished}
    if missing:
        # The sources of finished chunks are in no other chunk, so their rows are not needed.
        previous = PreviousRows(ledger.rows(key for key in known if key not in finished))
        writer = ChunkWriter(folder, build.make, ledger)
        _make_chunks(writer, build, digests, previous, missing, _rejected(finished.values()))
        made = ordered_map(ledger.chunk, missing, PARALLEL_REQUESTS)
        finished |= dict(zip(missing, made, strict=True))
    in_order = [finished[key] for key in keys]
    shards = [chunk.shard for chunk in in_order if chunk.shard]
    return Index(shards, _rejected(in_order), build.companions), keys, ledger


def _rejected(chunks: Iterable[Chunk]) -> list[Rejected]:
    return [item for chunk in chunks for item in chunk.rejected]


def _remove_damaged(folder: Path, chunks: Iterable[Chunk]) -> set[str]:
    """Remove the shards of earlier runs that are not what was written; they are made again.

    Returns:
        Names of the removed files.

    Raises:
        UnreachableError: if the store does not give a shard.
    """
    names, removed = [chunk.shard for chunk in chunks if chunk.shard], set()
    paths = [folder / name for name in names]
    workers = PARALLEL_REQUESTS if is_remote(folder) else usable_cores()
    checks = ordered_map(_is_undamaged, paths, workers)
    for path, is_undamaged in zip(paths, checks, strict=True):
        if not is_undamaged:
            logger.warning("%s: damaged, its samples are made again", path)
            path.unlink()
            removed.add(path.name)
    return removed


def _is_undamaged(path: Path) -> bool:
    try:
        shard = open_shard(path)
        if is_remote(path):  # the store keeps checksums; a row is checked when it is read
            return True
        for row in range(len(shard.scalars)):
            shard.check(row)
    except UnreachableError:  # it may be undamaged
        raise
    except ProjectError:
        return False
    return True


def _make_chunks(
    writer: ChunkWriter,
    build: ShardBuild,
    digests: bytes,
    previous: PreviousRows,
    missing: dict[str, range],
    rejected: list[Rejected],
) -> None:
    """Write one shard per missing chunk, by its key; `rejected` are those of finished chunks."""
    total, new, rejected = sum(map(len, missing.values())), 0, list(rejected)
    for chunk in missing.values():
        results = previous.of(digests_of(digests, chunk))
        new += results.count(None)
        rejected += [result.rejected for result in results if result and result.rejected]
    if rejected:
        build.check_rejected(rejected)
    logger.info(
        "%s: %d of %d samples to make, the others are finished",
        build.label,
        new,
        len(digests) // DIGEST_BYTES,
    )

    def works() -> Iterator[ChunkWork]:
        for key, chunk in missing.items():
            own = digests_of(digests, chunk)
            results = previous.of(own)
            wanted = [i for i, result in zip(chunk, results, strict=True) if not result]
            yield ChunkWork(key, own, list(map(build.item, wanted)), results)

    def checked(results: Iterable[Any]) -> Iterator[Any]:
        for result in results:
            if isinstance(result, Rejected):
                logger.warning("quarantined %s: %s", result.sample_id, result.reason)
                rejected.append(result)
                build.check_rejected(rejected)
            yield result

    def watched(results: Iterable[Any]) -> Iterator[Any]:
        return progress(checked(results), total, build.label, done=total - new)

    if build.compute.engine == "local":
        writer.write_all(works(), watched)
        return
    compute = build.compute
    cluster = Cluster(compute.address, compute.workers, compute.gpus_per_worker)
    for _ in watched(chain.from_iterable(ray_map(writer.write, works(), cluster))):
        pass
