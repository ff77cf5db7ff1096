"""The gallery as one figure: test samples from the best to the worst."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from albedo_pipeline.imaging.colormap import absolute_error, error_picture, hatched
from albedo_pipeline.reporting.formatting import measured
from albedo_pipeline.reporting.images import image_thumbnail, mask_thumbnail
from albedo_pipeline.reporting.sections.ranking import (
    evenly_spaced_ranks,
    ranked_samples,
    ranking_metric,
)
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards

SAMPLES, SIDE = 6, 128
"""Number of samples, and the longer side of a picture in pixels."""
HEADINGS = ("beauty", "prediction", "truth", "error")


def gallery_figure(
    per_sample: pd.DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    split: str,
) -> Figure:
    """One row per sample: beauty, prediction, truth and error; invalid pixels are hatched."""
    metric = ranking_metric(per_sample)
    rows = ranked_samples(per_sample, split).dropna(subset=[metric])
    chosen = rows.iloc[evenly_spaced_ranks(len(rows), SAMPLES)]
    sample_ids = predictions.scalars["sample_id"].to_pylist()
    prediction_rows = {sample_id: row for row, sample_id in enumerate(sample_ids)}
    pair_rows = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    figure = Figure(figsize=(6.4, 1.62 * len(chosen) + 0.3), layout="constrained")
    grid = figure.subplots(len(chosen), len(HEADINGS), squeeze=False)
    for axes_row, sample in zip(grid, chosen.to_dict("records"), strict=True):
        prediction = predictions.tensor("prediction", prediction_rows[sample["sample_id"]])
        pictures = _pictures(prediction, pairs, pair_rows[sample["sample_id"]])
        for axes, picture in zip(axes_row, pictures, strict=True):
            axes.imshow(picture, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        score = measured(metric, sample[metric], with_unit=True)
        axes_row[0].set_ylabel(score, fontsize=9)
    for axes, heading in zip(grid[:1].flat, HEADINGS, strict=False):
        axes.set_title(heading, fontsize=10)
    return figure


def _pictures(prediction: np.ndarray, pairs: PairShards, row: int) -> list[np.ndarray]:
    side = min(SIDE, max(prediction.shape[1:]))
    beauty, truth, estimate = (
        image_thumbnail(image, side)
        for image in (pairs.tensor("beauty", row), pairs.tensor("albedo", row), prediction)
    )
    valid = mask_thumbnail(pairs.tensor("valid", row), side)
    error = error_picture(absolute_error(estimate, truth), valid)
    return [beauty, estimate, hatched(truth, valid), error]
