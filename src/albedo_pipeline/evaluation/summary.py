"""The content of metrics.json: means with intervals, and the protocol of the measurement."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.evaluation.protocols import Protocol
from albedo_pipeline.evaluation.scores import IDENTITY
from albedo_pipeline.metrics.bootstrap import bootstrap_mean
from albedo_pipeline.metrics.constancy import CONSTANCY
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.evaluate import BootstrapParams, Measuring
from albedo_pipeline.params.sampling import Resampling
from albedo_pipeline.preprocessing.split_rules import HASH_RULE, split_rules
from albedo_pipeline.shards.shards import PredictionShards

SETS = "sets"
"""Key of the results of further sets, by name: each has protocol, lineage and splits of its own."""

# These texts are part of the fingerprint.
_RESAMPLING: dict[Resampling, str] = {
    "predict": "as predict: in linear light, area averages to shrink, else bilinear; predictions "
    "enlarged by a guided filter; images from half of that side to all of it are not resized",
    "marigold": "as Marigold's evaluation: beauty sRGB-encoded, predictions in the model's space; "
    "bilinear, antialiased, exactly to that side",
}


def describe(
    protocol: Protocol,
    predictions: PredictionShards,
    manifest: pd.DataFrame,
    params: EvaluateParams,
) -> dict:
    """The description of an evaluation on pairs, with its fingerprint; see `with_fingerprint`."""
    samples = _samples(predictions, manifest)
    description = _description(protocol, predictions, params)
    rules = {split: rule for split, rule in split_rules(manifest).items() if split in params.splits}
    if set(rules.values()) == {HASH_RULE}:
        # Outside the fingerprint, so that earlier numbers on the same samples can be compared.
        return {"split_rules": rules} | with_fingerprint(description, samples, params)
    return with_fingerprint(description | {"split_rules": rules}, samples, params)


def describe_measuring(
    protocol: Protocol, predictions: PredictionShards, manifest: pd.DataFrame, params: Measuring
) -> dict:
    """The description of a comparison, with a fingerprint of it.

    How each estimator predicts is not part of it, unlike `describe`'s.
    """
    complete = _description(protocol, predictions, params) | {
        "split_rules": {s: r for s, r in split_rules(manifest).items() if s in params.splits},
        "samples": _digest("\n".join(sorted(_samples(predictions, manifest)))),
        **_interval_settings(params.bootstrap),
    }
    return complete | {"fingerprint": _digest(json.dumps(complete, sort_keys=True))}


def _description(protocol: Protocol, predictions: PredictionShards, params: Measuring) -> dict:
    sizes = np.unique(predictions.shapes(predictions.tensor_names[0])[:, 1:], axis=0).tolist()
    return {
        "name": protocol.name,
        "metrics": {measure.name: measure.metric.colour_space for measure in protocol.measures},
        **protocol.description,
        "lpips_weights": _file_digest(params.lpips_weights),
        "resolution": sizes[0] if len(sizes) == 1 else sizes,
    }


def _samples(predictions: PredictionShards, manifest: pd.DataFrame) -> list[str]:
    """A line for each sample that identifies it and its content."""
    digests = dict(zip(manifest["sample_id"], manifest["digest"], strict=True))
    return [f"{i} {digests[i]}" for i in predictions.scalars["sample_id"].to_pylist()]


def _interval_settings(bootstrap: BootstrapParams) -> dict:
    return {
        "confidence": bootstrap.confidence,
        "interval": f"{bootstrap.confidence:.4g} percentile bootstrap over groups, "
        f"{bootstrap.resamples} resamples, seed {bootstrap.seed}",
    }


def with_fingerprint(description: dict, samples: list[str], params: EvaluateParams) -> dict:
    """The description of a protocol, completed by settings, samples and a fingerprint of it all.

    Numbers can be compared only if their fingerprints are equal.

    Args:
        description: what is measured, and how.
        samples: one line per sample that identifies it and its content.
    """
    several = params.ensemble.members > 1
    if params.resolution is not None:  # absent otherwise, so that earlier fingerprints hold
        description = description | {"processing": processing(params)}
    complete = description | {
        "steps": params.steps,
        "ensemble": params.ensemble.model_dump() if several else None,
        "reduction": params.reduction if several else None,
        "seed": params.seed,
        "precision": params.precision,
        "samples": _digest("\n".join(sorted(samples))),
        "retinex": params.retinex.model_dump(),
        **_interval_settings(params.bootstrap),
    }
    return complete | {"fingerprint": _digest(json.dumps(complete, sort_keys=True))}


def processing(params: EvaluateParams) -> dict[str, object]:
    """At which size images are predicted, and how they are resized, in words."""
    return {"longer_side": params.resolution, "resampling": _RESAMPLING[params.resampling]}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _file_digest(file: Path | None) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file else None


def summarise(per_sample: pd.DataFrame, bootstrap: BootstrapParams) -> dict:
    """Number of samples of each split, and the means and intervals of every method's measures.

    Measures without a value in any sample are left out. JSON has no infinity and no NaN, so both
    are written as null.
    """
    measures = [name for name in map(str, per_sample) if name not in IDENTITY]
    summary: dict = {}
    for split, samples in per_sample.groupby("split", sort=False):
        summary[split] = {"n": int(samples["sample_id"].nunique())}
        for method, rows in samples.groupby("method", sort=False):
            measured = [name for name in measures if rows[name].notna().any()]
            summary[split][method] = {name: _interval(rows, name, bootstrap) for name in measured}
    return summary


def headline(metrics: dict) -> dict[str, dict]:
    """The model's means by split: few enough numbers for one line of `dvc exp show`.

    Measures that are aligned or over all pixels are left out. Further sets are in `sets`, by name.

    Args:
        metrics: content of `metrics.json`.
    """
    about = ("protocol", "lineage", SETS)
    further = {name: headline(one) for name, one in metrics.get(SETS, {}).items()}
    return {
        split: {
            name: score["mean"]
            for name, score in scores["model"].items()
            if not name.endswith(("_aligned", "_unmasked"))
        }
        for split, scores in metrics.items()
        if split not in about
    } | ({SETS: further} if further else {})


def _interval(rows: pd.DataFrame, measure: str, bootstrap: BootstrapParams) -> dict:
    if measure == CONSTANCY.name:  # the value of a set is repeated in each of its samples
        rows = rows[rows["set"] != ""].drop_duplicates("set")
    # Every method gets the same resamples, so that methods can be compared.
    random = generator(bootstrap.seed, Purpose.BOOTSTRAP, 0)
    values, groups = rows[measure].to_numpy(), rows["group"].to_numpy()
    interval = bootstrap_mean(values, groups, bootstrap.resamples, bootstrap.confidence, random)
    return finite_or_none(interval)


def finite_or_none(interval: dict) -> dict:
    """An interval for JSON, which has no infinity and no NaN."""
    return {name: value if np.isfinite(value) else None for name, value in interval.items()}
