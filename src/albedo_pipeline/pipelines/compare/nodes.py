"""Nodes of `compare`."""

from collections.abc import Callable

from albedo_pipeline.node_types import (
    Checkpoints,
    Comparison,
    DataFrame,
    PairShards,
    PredictionShards,
    ShardBuild,
)
from albedo_pipeline.params import CompareParams


def predict_estimators(
    pairs: PairShards,
    manifest: DataFrame,
    trained_model: Callable,
    checkpoints: Checkpoints,
    params: CompareParams,
) -> tuple[dict, ShardBuild]:
    """Settings and digests of every estimator; the build of their predictions of every sample."""
    from albedo_pipeline.evaluation.comparison import compared
    from albedo_pipeline.evaluation.own_metrics import own_metrics
    from albedo_pipeline.evaluation.protocols import protocol

    # A file that cannot be read and a path without a metric fail early.
    protocol(params.protocol, params.lpips_weights, own_metrics(params.metrics, "compare.metrics"))
    return compared(pairs, manifest, trained_model, checkpoints, params)


def score_estimators(
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: DataFrame,
    lineage: dict,
    params: CompareParams,
) -> Comparison:
    """Scores, paired differences, a gallery, and the tables as Parquet and LaTeX."""
    from albedo_pipeline.artifacts.comparison import Comparison
    from albedo_pipeline.evaluation.comparison import difference_table, scored
    from albedo_pipeline.reporting.latex import latex_table
    from albedo_pipeline.reporting.sections.estimators import gallery_rows, logged_table

    results, per_sample = scored(predictions, pairs, manifest, lineage, params)
    pictures = gallery_rows(results, per_sample, predictions, pairs, manifest, params.gallery)
    logged_table(results)
    return Comparison(
        results, pictures, per_sample, difference_table(results), latex_table(results)
    )
