"""Several estimators on the same samples under one protocol: predictions, scores, differences."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.evaluation.estimators.open import checked_settings, open_estimator
from albedo_pipeline.evaluation.own_metrics import own_metrics
from albedo_pipeline.evaluation.prediction_build import PredictionBuild
from albedo_pipeline.evaluation.predictions import (
    Estimators,
    Opened,
    SplitPredictor,
    samples_of,
)
from albedo_pipeline.evaluation.protocols import protocol
from albedo_pipeline.evaluation.published import published_beside, published_numbers
from albedo_pipeline.evaluation.scores import IDENTITY, score_table
from albedo_pipeline.evaluation.summary import describe_measuring, finite_or_none, summarise
from albedo_pipeline.metrics.bootstrap import bootstrap_difference
from albedo_pipeline.metrics.constancy import CONSTANCY
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params.compare import CompareParams
from albedo_pipeline.params.compute import LOCAL
from albedo_pipeline.params.evaluate import BootstrapParams
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.provenance.lineage import (
    check_made_from,
    check_manifest,
    content_digest,
    manifest_digest,
    with_content,
)
from albedo_pipeline.runtime.device import open_device
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards


def compared(
    pairs: PairShards,
    manifest: pd.DataFrame,
    trained: Callable[[], tuple[Denoiser, AutoencoderKL]],
    checkpoints: Checkpoints,
    params: CompareParams,
) -> tuple[dict, PredictionBuild]:
    """What is compared, and the build of the predictions of every estimator on every sample.

    Raises:
        ProjectError: if a setting of an estimator is wrong, one cannot be loaded, or there is no
            sample.
    """
    # All of them fail before the first one is loaded.
    modules = {checked_settings(*named)[0].__name__ for named in params.estimators.items()}
    check_manifest(manifest)
    samples = samples_of(pairs, manifest, params.splits, "compare")
    device = open_device(params.device, params.precision)
    context = Context(trained, checkpoints, device, params.precision)
    opened = {
        name: open_estimator(name, settings, context)
        for name, settings in params.estimators.items()
    }
    lineage = {
        "pairs": manifest_digest(manifest),
        "estimators": {
            name: {"about": estimator.about, "digests": estimator.digests}
            for name, estimator in opened.items()
        },
    }
    ready, digest = Opened(opened), content_digest(lineage)
    # Threads break some estimators.
    predictor = SplitPredictor(
        pairs,
        Estimators(lambda: ready, ready),
        params.batch_size,
        digest,
        "compare",
        threads=False,
    )
    sampling = params.model_dump_json(include={"estimators", "splits", "batch_size", "precision"})
    parts = (digest, sampling, device.type, code_digest(*modules))
    return lineage, PredictionBuild(pairs, samples, predictor, "compare", LOCAL, parts)


def scored(
    stored: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    lineage: dict,
    params: CompareParams,
) -> tuple[dict, pd.DataFrame]:
    """The results of a comparison, and the scores of every sample.

    Raises:
        ProjectError: if the predictions are not those of the lineage, or of other pairs.
    """
    again = "the pipeline compare"
    check_made_from("comparison_lineage", lineage, {"pairs": manifest_digest(manifest)}, again)
    at_hand = {"lineage": content_digest(lineage)}
    check_made_from("comparison_predictions", stored.made_from(), at_hand, again)
    own = own_metrics(params.metrics, "compare.metrics")
    measured = protocol(params.protocol, params.lpips_weights, own)
    per_sample, _ = score_table(stored, pairs, manifest, measured, {})
    reference = params.reference or next(iter(params.estimators))
    scores = summarise(per_sample, params.bootstrap)
    results = {
        "protocol": describe_measuring(measured, stored, manifest, params),
        "lineage": {"pairs": lineage["pairs"], "predictions": stored.fingerprint()},
        "estimators": lineage["estimators"],
        "reference": reference,
        "scores": scores,
        "differences": {
            split: differences(rows, reference, params.bootstrap)
            for split, rows in per_sample.groupby("split", sort=False)
        },
        "published": published_beside(
            published_numbers(), params.data_set, params.published_split, params.protocol
        ),
    }
    return with_content(results), per_sample


def differences(rows: pd.DataFrame, reference: str, bootstrap: BootstrapParams) -> dict:
    """Paired differences from the reference, of every other method and measure.

    Args:
        rows: scores of one split, a row for each sample and method.

    Returns:
        Method => measure => mean, low, high, n, groups; null for a number that is not finite.
    """
    measures = [name for name in map(str, rows) if name not in IDENTITY]
    by_method = {str(name): part.set_index("sample_id") for name, part in rows.groupby("method")}
    base = by_method[reference]
    return {
        str(name): {
            measure: _difference(by_method[str(name)].loc[base.index], base, measure, bootstrap)
            for measure in measures
            if base[measure].notna().any()
        }
        for name in rows["method"].unique()
        if name != reference
    }


def _difference(
    other: pd.DataFrame, base: pd.DataFrame, measure: str, bootstrap: BootstrapParams
) -> dict:
    if measure == CONSTANCY.name:  # the value of a set is repeated in each of its samples
        first = (base["set"] != "") & ~base["set"].duplicated()
        other, base = other[first.to_numpy()], base[first]
    values = bootstrap_difference(
        other[measure].to_numpy(float),
        base[measure].to_numpy(float),
        base["group"].to_numpy(),
        bootstrap.resamples,
        bootstrap.confidence,
        generator(bootstrap.seed, Purpose.BOOTSTRAP, 0),
    )
    return finite_or_none(values)


def difference_table(results: dict) -> pd.DataFrame:
    """The results as one row for each split, estimator and measure, without nested values."""
    rows = []
    for split, scores in results["scores"].items():
        for name, by_measure in scores.items():
            if name == "n":
                continue
            for measure, score in by_measure.items():
                paired = results["differences"][split].get(name, {}).get(measure, {})
                rows.append(
                    {
                        "split": split,
                        "estimator": name,
                        "measure": measure,
                        **{key: _number(score[key]) for key in ("mean", "low", "high", "n")},
                        "difference": _number(paired.get("mean")),
                        "difference_low": _number(paired.get("low")),
                        "difference_high": _number(paired.get("high")),
                        "reference": results["reference"],
                    }
                )
    return pd.DataFrame(rows)


def _number(value: float | None) -> float:
    return np.nan if value is None else value
