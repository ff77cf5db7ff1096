"""Nodes of `ingest`."""

from collections.abc import Sequence

from albedo_pipeline.node_types import (
    DataFrame,
    PairShards,
    PublishedSplit,
    RawPairReference,
    ShardBuild,
)
from albedo_pipeline.params import IngestParams


def normalise_pairs(
    raw_pairs: Sequence[RawPairReference], params: IngestParams
) -> tuple[ShardBuild, PublishedSplit]:
    """The build of the pair shards, and the split if it was published.

    Every pair that is in a split is exposed, cropped, resized and sRGB-encoded, or quarantined.
    """
    from albedo_pipeline.preprocessing.ingest import PairBuild
    from albedo_pipeline.preprocessing.splits import published_split

    published = published_split(raw_pairs, params.split)
    return PairBuild(published.kept(raw_pairs), params), published


def describe_pairs(
    pairs: PairShards, published_split: PublishedSplit, params: IngestParams
) -> tuple[DataFrame, DataFrame, DataFrame, dict]:
    """The manifest with each sample's split, the quarantine, the audit, and its summary."""
    from albedo_pipeline.preprocessing.audit import audit_of, summary_of
    from albedo_pipeline.preprocessing.manifest import manifest_of, quarantine_of
    from albedo_pipeline.provenance.lineage import (
        manifest_digest,
        with_content,
        with_table_digests,
    )

    manifest = manifest_of(pairs, params.split, published_split)
    quarantine = quarantine_of(pairs)
    audit = audit_of(pairs, manifest, quarantine)
    of_pairs = {"pairs": manifest_digest(manifest)}
    summary = summary_of(audit, pairs.index.companions) | published_split.description() | of_pairs
    manifest, quarantine, audit = (
        with_table_digests(table, of_pairs) for table in (manifest, quarantine, audit)
    )
    return manifest, quarantine, audit, with_content(summary)
