"""The gallery as one picture: a spread of test samples, from the best to the worst."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from albedo_pipeline.reporting.formatting import measured
from albedo_pipeline.reporting.images import error_of, error_picture, hatched, shrunk, shrunk_mask
from albedo_pipeline.reporting.sections.gallery import ranked, ranking_measure, spread
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards

SAMPLES, SIDE = 6, 128
HEADINGS = ("beauty", "prediction", "truth", "error")


def gallery_figure(
    per_sample: pd.DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    split: str,
) -> Figure:
    """One row a sample: beauty, prediction, truth, error; invalid pixels are hatched."""
    name = ranking_measure(per_sample)
    rows = ranked(per_sample, split).dropna(subset=[name])
    chosen = rows.iloc[spread(len(rows), SAMPLES)]
    predicted = {name: i for i, name in enumerate(predictions.scalars["sample_id"].to_pylist())}
    stored = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    figure = Figure(figsize=(6.4, 1.62 * len(chosen) + 0.3), layout="constrained")
    axes = figure.subplots(len(chosen), len(HEADINGS), squeeze=False)
    for place, (line, sample) in enumerate(zip(axes, chosen.to_dict("records"), strict=True)):
        prediction = predictions.tensor("prediction", predicted[sample["sample_id"]])
        for axis, picture in zip(
            line, _pictures(prediction, pairs, stored[sample["sample_id"]]), strict=True
        ):
            axis.imshow(picture, interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        line[0].set_ylabel(measured(name, sample[name], with_unit=True), fontsize=9)
        if place == 0:
            for axis, heading in zip(line, HEADINGS, strict=True):
                axis.set_title(heading, fontsize=10)
    return figure


def _pictures(prediction: np.ndarray, pairs: PairShards, row: int) -> list[np.ndarray]:
    side = min(SIDE, max(prediction.shape[1:]))
    beauty, truth, estimate = (
        shrunk(image, side)
        for image in (pairs.tensor("beauty", row), pairs.tensor("albedo", row), prediction)
    )
    valid = shrunk_mask(pairs.tensor("valid", row), side)
    error = error_picture(error_of(estimate, truth), valid)
    return [beauty, estimate, hatched(truth, valid), error]
