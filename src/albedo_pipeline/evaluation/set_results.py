"""The results of an evaluation: of the project's own pairs, and of each further set."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from albedo_pipeline.artifacts.pair_sets import PairSet
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.baselines import baselines
from albedo_pipeline.evaluation.lineage import check_inputs, lineage_of_set
from albedo_pipeline.evaluation.own_metrics import own_metrics
from albedo_pipeline.evaluation.protocols import protocol
from albedo_pipeline.evaluation.scores import score_table
from albedo_pipeline.evaluation.summary import SETS, describe, summarise
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.base import OWN_SET
from albedo_pipeline.provenance.lineage import with_content_digest, with_table_digests
from albedo_pipeline.shards.shards import PredictionShards


class SetResults(NamedTuple):
    """What was measured on one set."""

    per_sample: pd.DataFrame
    """Scores of every sample and method; see `scores.score_table`."""
    curves: pd.DataFrame
    """Risk-coverage curves."""
    metrics: dict
    """Protocol, lineage, and the means of each split."""


def set_results(
    name: str, predictions: PredictionShards, one: PairSet, lineage: dict, params: EvaluateParams
) -> SetResults:
    """Score the predictions of one set.

    Args:
        name: name of the set.
        predictions: of the set.
        one: the set.
        lineage: of the evaluation, with the project's own pairs.

    Raises:
        ProjectError: if the predictions are of other models or pairs.
    """
    if name == OWN_SET:
        check_inputs(predictions, *one, lineage)
    else:
        lineage = lineage_of_set(lineage, one.manifest)
        check_inputs(predictions, *one, lineage, f"the predictions of {name}")
    own = own_metrics(params.metrics, "evaluate.metrics")
    chosen = protocol(params.protocol, params.lpips_weights, own)
    methods = baselines(params.retinex.intensity_threshold, params.retinex.chroma_threshold)
    per_sample, curves = score_table(predictions, *one, chosen, methods)
    metrics = {
        "protocol": describe(chosen, predictions, one.manifest, params),
        "lineage": lineage | {"predictions": predictions.fingerprint()},
    }
    metrics |= summarise(per_sample, params.bootstrap)
    scored = {
        "predictions": metrics["lineage"]["predictions"],
        "protocol": metrics["protocol"]["fingerprint"],
    }
    return SetResults(
        with_table_digests(per_sample, scored), with_table_digests(curves, scored), metrics
    )


def all_results(
    sets: Mapping[str, PairSet],
    predictions: Mapping[str, PredictionShards],
    lineage: dict,
    params: EvaluateParams,
) -> tuple[dict[str, SetResults], dict]:
    """The results of every set, and the content of `metrics.json`.

    Raises:
        ProjectError: if a set has no predictions, or those of other models or pairs.
    """
    for name in sets:
        if name not in predictions:
            raise ProjectError(
                f"the predictions of {name}: there are none; run the pipeline evaluate again"
            )
    results = {
        name: set_results(name, predictions[name], one, lineage, params)
        for name, one in sets.items()
    }
    metrics = results[OWN_SET].metrics
    further = {name: one.metrics for name, one in results.items() if name != OWN_SET}
    return results, with_content_digest(metrics | ({SETS: further} if further else {}))
