"""Nodes of `evaluate`."""

from collections.abc import Mapping

from albedo_pipeline.node_types import (
    AutoencoderKL,
    Checkpoints,
    DataFrame,
    Denoiser,
    PairSet,
    PairShards,
    PredictionShards,
    ShardBuild,
)
from albedo_pipeline.params import EvaluateParams


def predict_split(
    pairs: PairShards,
    manifest: DataFrame,
    more_pairs: dict[str, PairSet],
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    checkpoints: Checkpoints,
    params: EvaluateParams,
) -> tuple[dict, ShardBuild, Mapping[str, ShardBuild]]:
    """Digests of what the scores come from; the builds of the predictions, those of further sets
    by name."""
    from albedo_pipeline.artifacts.pair_sets import PairSet, named_sets
    from albedo_pipeline.evaluation.evaluation import evaluated
    from albedo_pipeline.evaluation.own_metrics import own_metrics
    from albedo_pipeline.evaluation.protocols import protocol
    from albedo_pipeline.params.base import OWN_SET

    # A file that cannot be read and a path without a metric fail early.
    protocol(params.protocol, params.lpips_weights, own_metrics(params.metrics, "evaluate.metrics"))
    sets = named_sets(params.sets, PairSet(pairs, manifest), more_pairs, "evaluate.sets")
    lineage, builds = evaluated(sets, denoiser, autoencoder, checkpoints, params)
    return lineage, builds.pop(OWN_SET), builds


def score(
    predictions: PredictionShards,
    more_predictions: dict[str, PredictionShards],
    pairs: PairShards,
    manifest: DataFrame,
    more_pairs: dict[str, PairSet],
    lineage: dict,
    params: EvaluateParams,
) -> tuple[DataFrame, DataFrame, dict[str, DataFrame], dict, dict]:
    """The scores of the model, the baselines and the autoencoder's round trip.

    Returns:
        The scores of every sample, the risk-coverage curves, the scores of every sample of further
        sets by name, the metrics with their intervals, and the headline: the metrics of the model
        alone.
    """
    from albedo_pipeline.artifacts.pair_sets import PairSet, named_sets
    from albedo_pipeline.evaluation.set_results import all_results
    from albedo_pipeline.evaluation.summary import headline
    from albedo_pipeline.params.base import OWN_SET

    sets = named_sets(params.sets, PairSet(pairs, manifest), more_pairs, "evaluate.sets")
    stored = {**more_predictions, OWN_SET: predictions}
    results, metrics = all_results(sets, stored, lineage, params)
    own = results.pop(OWN_SET)
    further = {name: one.per_sample for name, one in results.items()}
    return own.per_sample, own.curves, further, metrics, headline(metrics)
