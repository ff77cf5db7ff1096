"""Scores of the predictions, the baselines and the autoencoder's round trip for every sample."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from albedo_pipeline.evaluation.baselines import Baseline
from albedo_pipeline.evaluation.light_sets import light_sets
from albedo_pipeline.evaluation.protocols import Protocol
from albedo_pipeline.evaluation.risk import mean_curves, pixel_risk
from albedo_pipeline.evaluation.views import aligned_views, views
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.metrics.constancy import CONSTANCY, constancy_error
from albedo_pipeline.metrics.measures import measure_all
from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PREDICTION_OF, PredictionShards

IDENTITY = ("sample_id", "group", "split", "method", "set")
"""Columns of the table that are not measures."""


@dataclass(frozen=True)
class _Sample:
    identity: dict[str, str]
    estimates: dict[str, np.ndarray]
    """Estimate of each method: [3, H, W], sRGB-encoded, in [0, 1]."""
    uncertainty: np.ndarray | None
    """Uncertainty of the model's estimate, [1, H, W]; None without an ensemble."""
    truth: np.ndarray
    """True albedo: [3, H, W], sRGB-encoded, in [0, 1]."""
    valid: np.ndarray
    """bool [1, H, W]."""


def score_table(
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    protocol: Protocol,
    methods: Mapping[str, Baseline],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of all methods on all samples, and the risk-coverage curves.

    Methods are `model` and `autoencoder_roundtrip`, if the predictions have them, the other models,
    and the baselines. Images are compared as stored, in 16 bits, in one pass.

    Args:
        methods: baselines by name, which are made from the pairs.

    Returns:
        A table with one row per sample and method: sample_id, group, split, method, set, and every
        measure. `set` is the first sample of those that show the same surfaces under several
        lights; only they have a `constancy`. With an ensemble, the model has the areas under its
        risk-coverage curve. And the table of the curves; see `evaluation.risk`.
    """
    rows_of = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    evaluated = predictions.scalars.to_pylist()
    positions = {int(rows_of[sample["sample_id"]]): i for i, sample in enumerate(evaluated)}
    sets = light_sets(
        ((row, evaluated[position]["group"]) for row, position in positions.items()),
        lambda row: (pairs.tensor("albedo", row), pairs.tensor("valid", row)),
    )

    def read(row: int) -> _Sample:
        position = positions[row]
        stored = {name: predictions.tensor(name, position) for name in predictions.tensor_names}
        identity = {name: evaluated[position][name] for name in ("sample_id", "group", "split")}
        return _sample(identity, stored, pairs, row, methods)

    def score(rows: list[int]) -> list[tuple[dict, pd.DataFrame | None]]:
        return list(_set_scores([read(row) for row in rows], protocol))

    with one_thread_each():
        scored = ordered_map(score, sets, usable_cores())
        results = [item for items in progress(scored, len(sets), "score") for item in items]
    order = {sample["sample_id"]: position for position, sample in enumerate(evaluated)}
    results.sort(key=lambda item: order[item[0]["sample_id"]])
    curves = [curve for _, curve in results if curve is not None]
    return pd.DataFrame([row for row, _ in results]), mean_curves(curves)


def _sample(
    identity: dict,
    stored: dict[str, np.ndarray],
    pairs: PairShards,
    row: int,
    methods: Mapping[str, Baseline],
) -> _Sample:
    beauty, truth = (dequantize(pairs.tensor(name, row)) for name in ("beauty", "albedo"))
    valid = pairs.tensor("valid", row) == 1
    channels_last = beauty.transpose(1, 2, 0), truth.transpose(1, 2, 0), valid[0]
    estimates = {
        **({"model": dequantize(stored["prediction"])} if "prediction" in stored else {}),
        **{
            name.removeprefix(PREDICTION_OF): dequantize(image)
            for name, image in stored.items()
            if name.startswith(PREDICTION_OF)
        },
        **{name: method(*channels_last).transpose(2, 0, 1) for name, method in methods.items()},
    }
    if "roundtrip" in stored:
        estimates["autoencoder_roundtrip"] = dequantize(stored["roundtrip"])
    uncertainty = dequantize(stored["uncertainty"]) if "uncertainty" in stored else None
    return _Sample(identity, estimates, uncertainty, truth, valid)


def _set_scores(
    samples: list[_Sample], protocol: Protocol
) -> Iterator[tuple[dict, pd.DataFrame | None]]:
    """One row per sample and method; the model's rows come with the risk-coverage curve."""
    constancy = _constancy(samples) if len(samples) > 1 else {}
    set_name = samples[0].identity["sample_id"] if constancy else ""
    for sample in samples:
        scores = _scores(sample, protocol)
        for index, method in enumerate(sample.estimates):
            row: dict[str, object] = {**sample.identity, "method": method, "set": set_name}
            row |= {measure: float(values[index]) for measure, values in scores.items()}
            row[CONSTANCY.name] = constancy.get(method, np.nan)
            curve = None
            if method == "model" and sample.uncertainty is not None:
                areas, curve = pixel_risk(
                    sample.estimates[method], sample.truth, sample.uncertainty, sample.valid
                )
                row |= areas
                curve = curve.assign(split=sample.identity["split"])
            yield row, curve


def _scores(sample: _Sample, protocol: Protocol) -> dict[str, torch.Tensor]:
    """Every measure as a tensor [methods]: the methods form one batch."""
    estimates = np.stack(list(sample.estimates.values()))
    truth = np.broadcast_to(sample.truth, estimates.shape)
    valid = torch.from_numpy(sample.valid).expand(len(estimates), -1, -1, -1)
    return measure_all(
        protocol.measures,
        views(estimates),
        aligned_views(estimates, truth, valid),
        views(truth),
        valid,
    )


def _constancy(samples: list[_Sample]) -> dict[str, float]:
    """Constancy error of each method's estimates under all lights."""
    valid = torch.from_numpy(np.stack([sample.valid for sample in samples]))
    return {
        method: constancy_error(
            torch.from_numpy(np.stack([sample.estimates[method] for sample in samples])), valid
        )
        for method in samples[0].estimates
    }
