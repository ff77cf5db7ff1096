"""Scores of the predictions, the baselines and the ceiling, sample by sample."""

import numpy as np
import pandas as pd
import torch

from albedo_pipeline.datasets.pair_shards import PairShards
from albedo_pipeline.datasets.prediction_shards import PredictionShards
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.inference.baselines import baselines
from albedo_pipeline.metrics import METRICS
from albedo_pipeline.params.evaluate import RetinexParams


def score_table(
    predictions: PredictionShards, pairs: PairShards, manifest: pd.DataFrame, params: RetinexParams
) -> pd.DataFrame:
    """One row a sample and method: sample_id, group, split, method, and every metric.

    Methods: `model`, the baselines, `autoencoder_roundtrip`. Images are compared as they are
    stored, sRGB-encoded in 16 bits, over the valid pixels.
    """
    rows_of = manifest.set_index("sample_id")["row"]
    methods = baselines(params.intensity_threshold, params.chroma_threshold)
    table = []
    for place, sample in enumerate(predictions.scalars.to_pylist()):
        row = int(rows_of[sample["sample_id"]])
        beauty, truth = (_image(pairs.tensor(name, row)) for name in ("beauty", "albedo"))
        valid = pairs.tensor("valid", row)[0] == 1
        estimates = {
            "model": _image(predictions.tensor("prediction", place)),
            **{name: method(beauty, truth, valid) for name, method in methods.items()},
            "autoencoder_roundtrip": _image(predictions.tensor("roundtrip", place)),
        }
        for method, estimate in estimates.items():
            identity = {name: sample[name] for name in ("sample_id", "group", "split")}
            table.append(identity | {"method": method} | scores(estimate, truth, valid))
    return pd.DataFrame(table)


def scores(estimate: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> dict[str, float]:
    """Every metric of one image: [H, W, 3] sRGB-encoded in [0, 1], valid bool [H, W]."""
    images = [torch.from_numpy(i.transpose(2, 0, 1).copy())[None] for i in (estimate, truth)]
    mask = torch.from_numpy(valid)[None, None]
    return {metric.name: float(metric.function(*images, mask)[0]) for metric in METRICS}


def _image(stored: np.ndarray) -> np.ndarray:
    return dequantize(stored).transpose(1, 2, 0)
