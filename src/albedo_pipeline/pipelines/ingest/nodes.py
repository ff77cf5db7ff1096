"""Nodes of `ingest`."""

from albedo_pipeline.node_types import DataFrame, PairShards, RawPairReference, ShardBuild
from albedo_pipeline.params import IngestParams


def normalise_pairs(raw_pairs: list[RawPairReference], params: IngestParams) -> ShardBuild:
    """The build of the pair shards: every pair exposed, cropped, resized and sRGB-encoded, or
    quarantined."""
    from albedo_pipeline.preprocessing.ingest import PairBuild

    return PairBuild(raw_pairs, params)


def describe_pairs(
    pairs: PairShards, params: IngestParams
) -> tuple[DataFrame, DataFrame, DataFrame, dict]:
    """The manifest with each sample's split, the quarantine, the audit, and its summary."""
    from albedo_pipeline.preprocessing.audit import audit_of, summary_of
    from albedo_pipeline.preprocessing.manifest import manifest_of, quarantine_of
    from albedo_pipeline.provenance.lineage import manifest_digest

    manifest, quarantine = manifest_of(pairs, params.split), quarantine_of(pairs)
    audit = audit_of(pairs, manifest, quarantine)
    summary = summary_of(audit, pairs.index.companions) | {"pairs": manifest_digest(manifest)}
    return manifest, quarantine, audit, summary
