"""metrics.json: means with intervals, and the protocol that they were measured by."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.evaluation.protocols import Protocol
from albedo_pipeline.evaluation.scores import IDENTITY
from albedo_pipeline.metrics.bootstrap import bootstrap_mean
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.evaluate import BootstrapParams
from albedo_pipeline.shards.shards import PredictionShards


def describe(
    protocol: Protocol,
    predictions: PredictionShards,
    manifest: pd.DataFrame,
    params: EvaluateParams,
) -> dict:
    """The protocol of an evaluation on pairs; see `spelled_out`."""
    digests = dict(zip(manifest["sample_id"], manifest["digest"], strict=True))
    samples = [f"{i} {digests[i]}" for i in predictions.scalars["sample_id"].to_pylist()]
    sizes = np.unique(predictions.shapes("prediction")[:, 1:], axis=0).tolist()
    what = {
        "name": protocol.name,
        "metrics": {measure.name: measure.metric.colour_space for measure in protocol.measures},
        **protocol.description,
        "lpips_weights": _file_digest(params.lpips_weights),
        "resolution": sizes[0] if len(sizes) == 1 else sizes,
    }
    return spelled_out(what, samples, params)


def spelled_out(what: dict, samples: list[str], params: EvaluateParams) -> dict:
    """A protocol and its fingerprint: equal numbers need equal fingerprints.

    Args:
        what: is measured, and how.
        samples: a line for each that tells it from all others.
    """
    spelled = what | {
        "steps": params.steps,
        "ensemble": params.ensemble,
        "reduction": params.reduction if params.ensemble > 1 else None,
        "seed": params.seed,
        "precision": params.precision,
        "samples": _digest("\n".join(sorted(samples))),
        "retinex": params.retinex.model_dump(),
        "confidence": params.bootstrap.confidence,
        "interval": f"{params.bootstrap.confidence:.4g} percentile bootstrap over groups, "
        f"{params.bootstrap.resamples} resamples, seed {params.bootstrap.seed}",
    }
    return spelled | {"fingerprint": _digest(json.dumps(spelled, sort_keys=True))}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _file_digest(file: Path | None) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file else None


def summarise(per_sample: pd.DataFrame, bootstrap: BootstrapParams) -> dict:
    """For each split its number of samples, and each method's measures; those of no sample are
    left out. None stands for what is no finite number: JSON has no other word for it."""
    measures = [name for name in map(str, per_sample) if name not in IDENTITY]
    summary: dict = {}
    for split, samples in per_sample.groupby("split", sort=False):
        summary[split] = {"n": int(samples["sample_id"].nunique())}
        for method, rows in samples.groupby("method", sort=False):
            measured = [name for name in measures if rows[name].notna().any()]
            summary[split][method] = {name: _interval(rows, name, bootstrap) for name in measured}
    return summary


def headline(metrics: dict) -> dict[str, dict[str, float | None]]:
    """The model's means alone, by split: few enough for a line of `dvc exp show`.

    Args:
        metrics: as `metrics.json` holds them; measures that are aligned or over all pixels are
            left out.
    """
    told = ("protocol", "lineage")
    return {
        split: {
            name: score["mean"]
            for name, score in scores["model"].items()
            if not name.endswith(("_aligned", "_unmasked"))
        }
        for split, scores in metrics.items()
        if split not in told
    }


def _interval(rows: pd.DataFrame, measure: str, bootstrap: BootstrapParams) -> dict:
    if measure == "constancy":  # of a set, and each of its samples bears it
        rows = rows[rows["set"] != ""].drop_duplicates("set")
    # The same resamples for every method, so that methods can be compared.
    random = generator(bootstrap.seed, Purpose.BOOTSTRAP, 0)
    values, groups = rows[measure].to_numpy(), rows["group"].to_numpy()
    found = bootstrap_mean(values, groups, bootstrap.resamples, bootstrap.confidence, random)
    return {name: value if np.isfinite(value) else None for name, value in found.items()}
