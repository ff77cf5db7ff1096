"""Raw pairs => rows of the pair shards: the work of `ingest`."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from albedo_pipeline.errors import BadSampleError, ProjectError, TransientReadError
from albedo_pipeline.imaging.crops import CropSettings, bucket_shapes
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.normalise import normalise_pair
from albedo_pipeline.params import IngestParams
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.readers.pair_files import bad_reference
from albedo_pipeline.readers.raw_pairs import RawPairReference
from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores
from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.shard_file import DIGEST, Row, digest_of

logger = logging.getLogger(__name__)
_CODE = ("datasets", "imaging", "preprocessing/ingest.py")
"""What decides what is read and stored of a sample."""


class PairBuild:
    """Every sample, normalised or rejected; see `shards`."""

    label = "ingest"

    def __init__(self, references: list[RawPairReference], params: IngestParams) -> None:
        """
        Raises:
            ProjectError: where a sample is named as another one's crop would be.
        """
        self._params = params
        self._references = [_printable(reference) for reference in references]
        if params.crop.count > 1:
            _check_crop_names(self._references)
        self._crops = crop_settings(params)
        self.cache_key = cache_key(params, self._references)
        self.sources = [Source(r.sample_id, f"{r.group} {r.signature()}") for r in self._references]

    def make(
        self, chunks: list[list[int]], rejected: list[Rejected]
    ) -> Iterator[list[Row] | Rejected]:
        """Read and normalise on all cores.

        Raises:
            ProjectError: as soon as more than `max_quarantined_share` of all are rejected; tells
                the commonest reasons.
        """
        wanted = [self._references[i] for chunk in chunks for i in chunk]
        total, max_share = len(self._references), self._params.max_quarantined_share
        rejected = list(rejected)
        check_share(rejected, total, max_share)
        workers = self._params.workers or usable_cores()
        with one_thread_each():
            for result in ordered_map(self.normalise, wanted, workers):
                if isinstance(result, Rejected):
                    logger.warning("quarantined %s: %s", result.sample_id, result.reason)
                    rejected.append(result)
                    check_share(rejected, total, max_share)
                yield result

    def normalise(self, reference: RawPairReference) -> list[Row] | Rejected:
        """Read and normalise one sample; a row each crop."""
        try:
            raw = reference.load()
            beauty = Image(raw.beauty, raw.beauty_space, raw.beauty_type)
            albedo = Image(raw.albedo, raw.albedo_space, raw.albedo_type)
            exposure = self._params.exposure.model_dump()
            pairs = normalise_pair(beauty, albedo, raw.valid, self._crops, exposure)
            largest = max(float(pair.record["valid_share"]) for pair in pairs)
            if largest < self._params.min_valid_share:
                raise BadSampleError(f"only {largest:.2%} of the pixels are valid")
        except ValueError as error:
            retry = isinstance(error, TransientReadError)
            return Rejected(reference.sample_id, reference.group, str(error), retry)
        rows: list[Row] = []
        for number, pair in enumerate(pairs):
            name = f"{reference.sample_id}@{number}" if number else reference.sample_id
            identity = {"sample_id": name, "group": reference.group}
            pixels = {"beauty": pair.beauty, "albedo": pair.albedo, "valid": pair.valid}
            if float(pair.record["valid_share"]) >= self._params.min_valid_share:
                rows.append({**identity, **pair.record, DIGEST: digest_of(pixels), **pixels})
        return rows


def _printable(reference: RawPairReference) -> RawPairReference:
    """The reference, or one that tells why it cannot be read, under a name that can be written."""
    identity = (reference.sample_id, reference.group)
    sample_id, group = (name.encode(errors="backslashreplace").decode() for name in identity)
    if (sample_id, group) == identity:
        return reference
    return bad_reference(sample_id, group, f"{sample_id}: the name is not UTF-8")


def _check_crop_names(references: list[RawPairReference]) -> None:
    names = {reference.sample_id for reference in references}
    for name in sorted(names):
        whole, _, number = name.rpartition("@")
        if number.isdigit() and whole in names:
            raise ProjectError(f"ingest.crop.count: {name} is named as a crop of {whole} would be")


def crop_settings(params: IngestParams) -> CropSettings:
    """Which crops of an image are stored."""
    ratios = (tuple(map(int, ratio.split(":"))) for ratio in params.aspect_ratios)
    return CropSettings(
        bucket_shapes(params.resolution, tuple(w / h for w, h in ratios), params.multiple_of),
        params.crop.count,
        params.crop.share,
        params.crop.max_enlargement,
    )


def cache_key(params: IngestParams, references: Iterable[RawPairReference]) -> str:
    """Digest of the settings and the code that decide what is stored of a sample.

    The code is this module, the module that reads the references' files, and what both import.
    """
    settings = params.model_dump_json(exclude={"split", "max_quarantined_share", "workers"})
    readers = {_module_of(reference.load) for reference in references}
    code = code_digest(__name__, *readers)
    return hashlib.sha256(f"{settings} {code}".encode()).hexdigest()[:16]


def _module_of(function: Callable) -> str:
    """Name of the module that a function, method or partial function is defined in."""
    while isinstance(function, partial):
        function = function.func
    return function.__module__


def check_share(rejected: list[Rejected], total: int, max_share: float) -> None:
    """Raise ProjectError where more than `max_share` of `total` samples are rejected."""
    if len(rejected) <= max_share * total:
        return
    # The reason without the file it names, so that equal troubles are counted together.
    counts = Counter(item.reason.rpartition(": ")[2] for item in rejected)
    common = "; ".join(f"{count} x {reason}" for reason, count in counts.most_common(5))
    raise ProjectError(
        f"{len(rejected)} of {total} samples are unusable already, more than "
        f"ingest.max_quarantined_share = {max_share:g} allows: {common}"
    )
