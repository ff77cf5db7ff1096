"""One raw pair => its rows of the pair shards, normalised, or the reason why it has none."""

from albedo_pipeline.errors import BadSampleError, TransientReadError, printable
from albedo_pipeline.imaging.crops import CropSettings, bucket_shapes
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.normalise import normalise_pair
from albedo_pipeline.imaging.target_checks import TargetRules
from albedo_pipeline.params import IngestParams
from albedo_pipeline.readers.pair_files import bad_reference
from albedo_pipeline.readers.raw_pairs import RawPairReference
from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.shard_file import DIGEST, Row, digest_of


def pair_rows(
    reference: RawPairReference, params: IngestParams, crops: CropSettings
) -> list[Row] | Rejected:
    """Read and normalise one sample.

    Args:
        reference: the sample.
        params: settings of the exposure and of the masked targets, and the smallest share of valid
            pixels.
        crops: see `crop_settings`.

    Returns:
        A row for each crop that has enough valid pixels; the reason if none has, or if the sample
        cannot be used.
    """
    try:
        raw = reference.load()
        beauty = Image(raw.beauty, raw.beauty_space, raw.beauty_type, raw.beauty_notes)
        albedo = Image(raw.albedo, raw.albedo_space, raw.albedo_type, raw.albedo_notes)
        exposure = params.exposure.model_dump()
        targets = TargetRules(**params.target_mask.model_dump())
        pairs = normalise_pair(beauty, albedo, raw.valid, crops, exposure, targets)
        largest = max(float(pair.record["valid_share"]) for pair in pairs)
        if largest < params.min_valid_share:
            raise BadSampleError(f"only {largest:.2%} of the pixels are valid")
    except ValueError as error:
        retry = isinstance(error, TransientReadError)
        return Rejected(reference.sample_id, reference.group, printable(str(error)), retry)
    rows: list[Row] = []
    for number, pair in enumerate(pairs):
        name = f"{reference.sample_id}@{number}" if number else reference.sample_id
        identity = {"sample_id": name, "group": reference.group}
        pixels = {"beauty": pair.beauty, "albedo": pair.albedo, "valid": pair.valid}
        record = pair.record | {"masked_id_share": raw.masked_id_share}
        if float(pair.record["valid_share"]) >= params.min_valid_share:
            rows.append({**identity, **record, DIGEST: digest_of(pixels), **pixels})
    return rows


def crop_settings(params: IngestParams) -> CropSettings:
    """Which crops of an image are stored, by the settings."""
    ratios = (tuple(map(int, ratio.split(":"))) for ratio in params.aspect_ratios)
    return CropSettings(
        bucket_shapes(params.resolution, tuple(w / h for w, h in ratios), params.multiple_of),
        params.crop.count,
        params.crop.share,
        params.crop.max_enlargement,
    )


def with_utf8_names(reference: RawPairReference) -> RawPairReference:
    """The reference itself if its names can be written as UTF-8.

    If they cannot, a reference with escaped names, which is rejected with this reason.
    """
    identity = (reference.sample_id, reference.group)
    sample_id, group = map(printable, identity)
    if (sample_id, group) == identity:
        return reference
    return bad_reference(sample_id, group, f"{sample_id}: the name is not UTF-8")
