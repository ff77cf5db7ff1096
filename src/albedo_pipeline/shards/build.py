"""Shard builds, run chunk by chunk; the contract is stated in `albedo_pipeline.shards`."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol, runtime_checkable

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.distributed import rank, wait_for_all, world_size
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.parallel import ordered_map, usable_cores
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.shards.index import Index, Rejected, Source, publish, sweep_partial
from albedo_pipeline.shards.ledger import BuildLedger, Chunk, PreviousRows, SourceOutcome
from albedo_pipeline.shards.shard_file import Row, ShardWriter, open_shard

logger = logging.getLogger(__name__)
_LONGEST_CHUNK = 4
"""Number of sources in the longest chunk, as a multiple of the mean number."""


@runtime_checkable
class ShardBuild(Protocol):
    """What makes the rows of a folder of shards."""

    @property
    def label(self) -> str:
        """Name of the build in progress lines and errors."""

    @property
    def cache_key(self) -> str:
        """Digest of everything but the sources that the rows depend on."""

    @property
    def sources(self) -> Sequence[Source]:
        """What the rows are made from, in the order of the rows."""

    @property
    def companions(self) -> int:
        """Number of companion files beside the sources; see `runtime.companions`."""

    def make(
        self, chunks: list[list[int]], rejected: list[Rejected]
    ) -> Iterator[list[Row] | Rejected]:
        """Yield the rows of each wanted source, or the reason why it has none.

        Args:
            chunks: indices of the wanted sources, chunk by chunk; results come in this order.
            rejected: the sources that an earlier run rejected and that are not made again.
        """


def chunk_bounds(names: Sequence[str], mean: int) -> list[range]:
    """Divide the names into runs of about `mean` that end where a name's digest says so."""
    bounds, start = [], 0
    for place, name in enumerate(names):
        is_end = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % mean == 0
        length = place + 1 - start
        if is_end or length == _LONGEST_CHUNK * mean or place + 1 == len(names):
            bounds.append(range(start, place + 1))
            start = place + 1
    return bounds


def write_build(folder: Path, build: ShardBuild, mean: int) -> None:
    """Make the chunks that are missing, then publish the folder.

    Under torchrun each process makes every n-th chunk, and all of them return when the folder is
    published.

    Args:
        folder: where the shards are written.
        build: what makes the rows.
        mean: mean number of sources in a chunk.

    Raises:
        ProjectError: if another run writes to the folder.
    """
    with locked(folder, f"another {build.label}") if rank() == 0 else nullcontext():
        _write(folder, build, mean)


def _write(folder: Path, build: ShardBuild, mean: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ledger = BuildLedger(folder, build.cache_key)
    chunks = chunk_bounds([source.name for source in build.sources], mean)
    keys = [ledger.key([build.sources[i] for i in chunk]) for chunk in chunks]
    if rank() == 0:
        sweep_partial(folder)
        _remove_damaged(folder, ledger.chunks().values())
    wait_for_all()
    known = ledger.chunks()
    wait_for_all()  # so that every process sees the same chunks as missing
    missing = [n for n, key in enumerate(keys) if key not in known or not known[key].is_final]
    previous = PreviousRows(folder, known.values())
    if missing:
        logger.info(
            "%s: %d of %d samples to make, the others are finished",
            build.label,
            sum(not previous.holds(build.sources[i]) for n in missing for i in chunks[n]),
            len(build.sources),
        )
    mine = missing[rank() :: world_size()]
    _make_chunks(folder, build, [(keys[n], chunks[n]) for n in mine], ledger, previous)
    wait_for_all()
    if rank() == 0:
        finished = [ledger.chunks()[key] for key in keys]
        outcomes = [outcome for chunk in finished for outcome in chunk.outcomes.values()]
        shards = [chunk.shard for chunk in finished if chunk.shard]
        rejected = [outcome.rejected for outcome in outcomes if outcome.rejected]
        publish(folder, Index(shards, rejected, build.companions))
        ledger.keep_only(keys)
    wait_for_all()


def _remove_damaged(folder: Path, chunks: Iterable[Chunk]) -> None:
    """Remove the shards of earlier runs that are not what was written; they are made again."""
    paths = [folder / chunk.shard for chunk in chunks if chunk.shard]
    checks = ordered_map(_is_undamaged, paths, usable_cores())
    for path, is_undamaged in zip(paths, checks, strict=True):
        if not is_undamaged:
            logger.warning("%s: damaged, its samples are made again", path)
            path.unlink()


def _is_undamaged(path: Path) -> bool:
    try:
        shard = open_shard(path)
        for row in range(len(shard.scalars)):
            shard.check(row)
    except ProjectError:
        return False
    return True


def _make_chunks(
    folder: Path,
    build: ShardBuild,
    chunks: list[tuple[str, range]],
    ledger: BuildLedger,
    previous: PreviousRows,
) -> None:
    """Write one shard per chunk; rows of unchanged sources are copied from earlier shards."""
    wanted = [[i for i in chunk if not previous.holds(build.sources[i])] for _, chunk in chunks]
    total, new = sum(len(chunk) for _, chunk in chunks), sum(map(len, wanted))
    # One stream for all chunks, so that reading ahead does not stop at the end of a chunk.
    results = progress(
        build.make(wanted, previous.rejected(build.sources)), total, build.label, done=total - new
    )
    for key, chunk in chunks:
        outcomes: dict[str, SourceOutcome] = {}
        with ShardWriter(folder) as shard:
            for i in chunk:
                source = build.sources[i]
                result = previous.take(source) if previous.holds(source) else next(results)
                if isinstance(result, Rejected):
                    outcomes[source.name] = SourceOutcome(source.signature, 0, result)
                else:
                    for row in result:
                        shard.add(row)
                    outcomes[source.name] = SourceOutcome(source.signature, len(result), None)
        ledger.record(key, Chunk(shard.name, outcomes))
    for _ in results:  # exhausted, so that the progress shows its end
        pass
