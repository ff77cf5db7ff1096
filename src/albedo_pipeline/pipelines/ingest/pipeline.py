"""`ingest`: raw pairs => pair shards, manifest, quarantine, audit."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.ingest.nodes import describe_pairs, normalise_pairs


def create_pipeline() -> Pipeline:
    """Two nodes: one makes the pair shards, one the tables about them."""
    return Pipeline(
        [
            node(
                normalise_pairs,
                ["raw_pairs", "params:ingest"],
                ["pairs", "published_split"],
                name="normalise_pairs",
            ),
            node(
                describe_pairs,
                ["pairs", "published_split", "params:ingest"],
                ["manifest", "quarantine", "audit", "audit_summary"],
                name="describe_pairs",
            ),
        ],
        tags="ingest",
    )
