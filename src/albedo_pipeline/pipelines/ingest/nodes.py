"""Nodes of `ingest`."""

from collections.abc import Iterator

from albedo_pipeline.hints import DataFrame, PairShards, RawPairReference, Rejected, Row
from albedo_pipeline.params import IngestParams


def normalise_pairs(
    raw_pairs: list[RawPairReference], params: IngestParams
) -> Iterator[Row | Rejected]:
    """Expose, crop, resize, encode and store every pair; set aside those that cannot be used."""
    from albedo_pipeline.ingestion.stream import normalised

    return normalised(raw_pairs, params)


def describe_pairs(pairs: PairShards, params: IngestParams) -> tuple[DataFrame, DataFrame, dict]:
    """Manifest with the split by group, quarantine, and audit."""
    from albedo_pipeline.ingestion.tables import audit_of, manifest_of

    manifest, quarantine = manifest_of(pairs, params.split), pairs.rejected.to_pandas()
    return manifest, quarantine, audit_of(manifest, quarantine)
