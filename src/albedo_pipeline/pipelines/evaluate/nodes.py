"""Nodes of `evaluate`."""

from albedo_pipeline.node_types import (
    AutoencoderKL,
    Checkpoints,
    DataFrame,
    Denoiser,
    PairShards,
    PredictionShards,
    ShardBuild,
)
from albedo_pipeline.params import EvaluateParams


def predict_split(
    pairs: PairShards,
    manifest: DataFrame,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    checkpoints: Checkpoints,
    params: EvaluateParams,
) -> tuple[dict, ShardBuild]:
    """Digests of what the scores come from; the build of the prediction of every sample."""
    from albedo_pipeline.evaluation.evaluation import evaluated
    from albedo_pipeline.evaluation.own_metrics import own_metrics
    from albedo_pipeline.evaluation.protocols import protocol

    # A file that cannot be read and a path without a metric fail early.
    protocol(params.protocol, params.lpips_weights, own_metrics(params.metrics, "evaluate.metrics"))
    return evaluated(pairs, manifest, denoiser, autoencoder, checkpoints, params)


def score(
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: DataFrame,
    lineage: dict,
    params: EvaluateParams,
) -> tuple[DataFrame, DataFrame, dict, dict]:
    """The scores of the model, the baselines and the autoencoder's round trip.

    Returns:
        The scores of every sample, the risk-coverage curves, the metrics with their intervals, and
        the headline: the metrics of the model alone.
    """
    from albedo_pipeline.evaluation.baselines import baselines
    from albedo_pipeline.evaluation.lineage import check_inputs
    from albedo_pipeline.evaluation.own_metrics import own_metrics
    from albedo_pipeline.evaluation.protocols import protocol
    from albedo_pipeline.evaluation.scores import score_table
    from albedo_pipeline.evaluation.summary import describe, headline, summarise
    from albedo_pipeline.provenance.lineage import with_content_digest, with_table_digests

    check_inputs(predictions, pairs, manifest, lineage)
    own = own_metrics(params.metrics, "evaluate.metrics")
    chosen = protocol(params.protocol, params.lpips_weights, own)
    methods = baselines(params.retinex.intensity_threshold, params.retinex.chroma_threshold)
    per_sample, curves = score_table(predictions, pairs, manifest, chosen, methods)
    metrics = {
        "protocol": describe(chosen, predictions, manifest, params),
        "lineage": lineage | {"predictions": predictions.fingerprint()},
    }
    metrics |= summarise(per_sample, params.bootstrap)
    scored = {
        "predictions": metrics["lineage"]["predictions"],
        "protocol": metrics["protocol"]["fingerprint"],
    }
    per_sample, curves = (with_table_digests(table, scored) for table in (per_sample, curves))
    return per_sample, curves, with_content_digest(metrics), headline(metrics)
