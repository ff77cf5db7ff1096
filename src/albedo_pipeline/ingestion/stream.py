"""Raw pairs => rows of the pair shards, many at a time, in order."""

import logging
import os
from collections import Counter
from collections.abc import Iterator

from albedo_pipeline.datasets.pair_shards import Rejected
from albedo_pipeline.datasets.raw_pairs import RawPairReference
from albedo_pipeline.datasets.shards import Row
from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.imaging.normalise import normalise_pair
from albedo_pipeline.parallel import ordered_map
from albedo_pipeline.params import IngestParams
from albedo_pipeline.progress import progress

logger = logging.getLogger(__name__)


def normalised(
    references: list[RawPairReference], params: IngestParams
) -> Iterator[Row | Rejected]:
    """Every sample in the order of the references, normalised or rejected.

    Raises:
        ProjectError: as soon as more than `max_quarantined_share` of all are rejected; tells the
            commonest reasons.
    """
    rejected: list[Rejected] = []
    workers = params.workers or os.cpu_count() or 1
    items = ordered_map(lambda r: normalise_one(r, params), references, workers)
    for item in progress(items, len(references), "ingest"):
        if isinstance(item, Rejected):
            logger.warning("quarantined %s: %s", item.sample_id, item.reason)
            rejected.append(item)
            check_share(rejected, len(references), params.max_quarantined_share)
        yield item


def normalise_one(reference: RawPairReference, params: IngestParams) -> Row | Rejected:
    """Read and normalise one sample."""
    try:
        raw = reference.load()
        exposure = params.exposure.model_dump()
        pair = normalise_pair(raw.beauty, raw.albedo, raw.valid, params.resolution, exposure)
        if pair.record["valid_share"] < params.min_valid_share:
            share = f"{pair.record['valid_share']:.2%}"
            raise BadSampleError(f"only {share} of the pixels are valid")
    except ValueError as error:
        return Rejected(reference.sample_id, reference.group, str(error))
    identity = {"sample_id": reference.sample_id, "group": reference.group}
    pixels = {"beauty": pair.beauty, "albedo": pair.albedo, "valid": pair.valid}
    return identity | pair.record | pixels


def check_share(rejected: list[Rejected], total: int, max_share: float) -> None:
    """Raise ProjectError where more than `max_share` of `total` samples were rejected."""
    if len(rejected) <= max_share * total:
        return
    # The reason without the file it names, so that equal troubles are counted together.
    reasons = Counter(item.reason.rpartition(": ")[2] for item in rejected)
    common = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(5))
    raise ProjectError(
        f"{len(rejected)} of {total} samples are unusable already, more than "
        f"ingest.max_quarantined_share = {max_share:g} allows: {common}"
    )
