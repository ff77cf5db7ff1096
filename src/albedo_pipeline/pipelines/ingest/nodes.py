"""Nodes of `ingest`."""

from collections.abc import Iterator

import pandas as pd

from albedo_pipeline.datasets.pair_shards import PairShards, Rejected
from albedo_pipeline.datasets.raw_pairs import RawPairReference
from albedo_pipeline.datasets.shards import Row
from albedo_pipeline.params import IngestParams


def normalise_pairs(
    raw_pairs: list[RawPairReference], params: IngestParams
) -> Iterator[Row | Rejected]:
    """Expose, crop, resize, encode and store every pair; set aside those that cannot be used."""
    from albedo_pipeline.ingestion.stream import normalised

    return normalised(raw_pairs, params)


def describe_pairs(
    pairs: PairShards, params: IngestParams
) -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    """Manifest with the split by group, quarantine, and audit."""
    from albedo_pipeline.ingestion.tables import audit_of, manifest_of

    manifest, quarantine = manifest_of(pairs, params.split), pairs.rejected.to_pandas()
    return manifest, quarantine, audit_of(manifest, quarantine)
