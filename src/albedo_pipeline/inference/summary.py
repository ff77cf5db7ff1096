"""metrics.json: means with intervals, and the protocol that they were measured by."""

import hashlib
import json

import numpy as np
import pandas as pd

from albedo_pipeline.datasets.prediction_shards import PredictionShards
from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.metrics import METRICS
from albedo_pipeline.metrics.bootstrap import bootstrap_mean
from albedo_pipeline.params import EvaluateParams


def protocol_of(predictions: PredictionShards, params: EvaluateParams) -> dict:
    """The protocol, spelled out, and its fingerprint: equal numbers need equal fingerprints."""
    sizes = np.unique(predictions.shapes("prediction")[:, 1:], axis=0).tolist()
    protocol = {
        "name": params.protocol,
        "metrics": {metric.name: metric.colour_space for metric in METRICS},
        "colour_space": "sRGB (IEC 61966-2-1), 16 bits",
        "mask": "valid pixels only; masked pixels enter no sum and no window",
        "alignment": "none; *_best_scale: one scale a sample, fitted to the truth",
        "resolution": sizes[0] if len(sizes) == 1 else sizes,
        "steps": params.steps,
        "ensemble": params.ensemble,
        "seed": params.seed,
        "precision": params.precision,
        "samples": _digest("\n".join(sorted(predictions.scalars["sample_id"].to_pylist()))),
        "retinex": params.retinex.model_dump(),
        "confidence": params.bootstrap.confidence,
        "interval": f"{params.bootstrap.confidence:.4g} percentile bootstrap over groups, "
        f"{params.bootstrap.resamples} resamples, seed {params.bootstrap.seed}",
    }
    return protocol | {"fingerprint": _digest(json.dumps(protocol, sort_keys=True))}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def summarise(
    per_sample: pd.DataFrame, predictions: PredictionShards, params: EvaluateParams
) -> dict:
    """The protocol, and for each split its number of samples and each method's metrics."""
    summary: dict = {"protocol": protocol_of(predictions, params)}
    for split, samples in per_sample.groupby("split", sort=False):
        summary[split] = {"n": int(samples["sample_id"].nunique())}
        for method, rows in samples.groupby("method", sort=False):
            summary[split][method] = {m.name: _interval(rows, m.name, params) for m in METRICS}
    return summary


def _interval(rows: pd.DataFrame, metric: str, params: EvaluateParams) -> dict:
    bootstrap = params.bootstrap
    # The same resamples for every method, so that methods can be compared.
    random = generator(bootstrap.seed, Purpose.BOOTSTRAP, 0)
    values, groups = rows[metric].to_numpy(), rows["group"].to_numpy()
    return bootstrap_mean(values, groups, bootstrap.resamples, bootstrap.confidence, random)
