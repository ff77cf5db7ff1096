"""Raw pairs => pair shards: the shard build that `ingest` returns."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.pair_rows import crop_settings, pair_rows, with_utf8_names
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.readers.raw_pairs import RawPairReference
from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores
from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.shard_file import Row


class PairBuild:
    """Shard build of the pairs: every sample, normalised or rejected; see `shards`."""

    label = "ingest"

    def __init__(self, references: Sequence[RawPairReference], params: IngestParams) -> None:
        """
        Raises:
            ProjectError: if a sample has the name that another sample's crop would have.
        """
        self._params = params
        self.companions = getattr(references, "companions", 0)
        self._references = references
        if params.crop.count > 1:
            _check_crop_names(references)
        self.compute = params.compute
        self.make = partial(make_pairs, params=params)
        self.cache_key = cache_key(params, references)

    @property
    def sources(self) -> Iterator[Source]:
        """The samples, with the state of their files, which is looked up for each."""
        for reference in map(with_utf8_names, self._references):
            yield Source(reference.sample_id, f"{reference.group} {reference.signature()}")

    def item(self, source: int) -> RawPairReference:
        """The reference of a sample."""
        return with_utf8_names(self._references[source])

    def check_rejected(self, rejected: list[Rejected]) -> None:
        """
        Raises:
            ProjectError: if more than `max_quarantined_share` of all samples are rejected; it names
                the most frequent reasons.
        """
        check_share(rejected, len(self._references), self._params.max_quarantined_share)


def make_pairs(
    chunks: Iterable[Sequence[RawPairReference]], params: IngestParams
) -> Iterator[list[Row] | Rejected]:
    """Read and normalise samples on all cores that the process may use."""
    rows = partial(pair_rows, params=params, crops=crop_settings(params))
    workers = params.workers or usable_cores()
    with one_thread_each():
        yield from ordered_map(rows, chain.from_iterable(chunks), workers)


def cache_key(params: IngestParams, references: Iterable[RawPairReference]) -> str:
    """Digest of the settings and the code that decide what is stored of a sample.

    The code is the module of `pair_rows`, the modules that read the references' files, and what
    these import.
    """
    settings = params.model_dump_json(
        exclude={"split", "max_quarantined_share", "workers", "compute"}
    )
    readers = {_module_of(reference.load) for reference in references}
    code = code_digest(pair_rows.__module__, *readers)
    return hashlib.sha256(f"{settings} {code}".encode()).hexdigest()[:16]


def check_share(rejected: list[Rejected], total: int, max_share: float) -> None:
    """Raise ProjectError if more than `max_share` of `total` samples are rejected."""
    if len(rejected) <= max_share * total:
        return
    # Without the file that a reason names, so that equal reasons are counted together.
    counts = Counter(item.reason.rpartition(": ")[2] for item in rejected)
    common = "; ".join(f"{count} x {reason}" for reason, count in counts.most_common(5))
    raise ProjectError(
        f"{len(rejected)} of {total} samples are unusable already, more than "
        f"ingest.max_quarantined_share = {max_share:g} allows: {common}"
    )


def _check_crop_names(references: Sequence[RawPairReference]) -> None:
    names = {reference.sample_id for reference in references}
    for name in sorted(names):
        uncropped, _, number = name.rpartition("@")
        if number.isdigit() and uncropped in names:
            raise ProjectError(
                f"ingest.crop.count: sample {name} has the name that a crop of {uncropped} would "
                "have; rename one of them, or set crop.count to 1"
            )


def _module_of(function: Callable) -> str:
    """Name of the module that a function, method or partial function is defined in."""
    while isinstance(function, partial):
        function = function.func
    return function.__module__
