"""Light sets: what the model predicts for the same surfaces under several lights."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.imaging.colormap import hatched
from albedo_pipeline.reporting.formatting import MODEL, measured
from albedo_pipeline.reporting.images import image_thumbnail, mask_thumbnail, png_uri
from albedo_pipeline.reporting.sections.ranking import evenly_spaced_ranks
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards

MAX_SETS, MAX_LIGHTS = 3, 6
"""Largest number of light sets that are shown, and of lights of each set."""


@dataclass(frozen=True)
class LightSet:
    """Samples that differ only in their light, in the order of their names."""

    rank: str
    """`best`, `median` or `worst`, or that it is the only set."""
    error: str
    """The model's constancy error."""
    samples: list[str]
    """sample_id of each light that is shown."""
    lights: int
    """Number of lights in the set, shown or not."""


@dataclass(frozen=True)
class Strip:
    """A light set with its pictures as data URIs."""

    light_set: LightSet
    truth: str
    views: list[tuple[str, str, str]]
    """(sample_id, beauty, prediction) of each light that is shown."""


def light_sets(per_sample: pd.DataFrame, split: str) -> list[LightSet]:
    """The sets of one split with the best, median and worst constancy error of the model."""
    if not {"set", "constancy"} <= set(per_sample):
        return []
    rows = per_sample[(per_sample["split"] == split) & (per_sample["method"] == MODEL)]
    rows = rows[(rows["set"] != "") & rows["constancy"].notna()].sort_values("sample_id")
    ranked = [(float(samples["constancy"].iloc[0]), samples) for _, samples in rows.groupby("set")]
    ranked.sort(key=lambda item: item[0])  # a stable sort: equal sets stay in the order of names
    names = {0: "best", len(ranked) // 2: "median", len(ranked) - 1: "worst"}
    return [
        _light_set(names[rank] if len(ranked) > 1 else "the only set", *ranked[rank])
        for rank in evenly_spaced_ranks(len(ranked), MAX_SETS)
    ]


def _light_set(rank: str, error: float, samples: pd.DataFrame) -> LightSet:
    return LightSet(
        rank=rank,
        error=measured("constancy", error),
        samples=[samples["sample_id"].iloc[i] for i in _shown_lights(len(samples))],
        lights=len(samples),
    )


def picture_count(sets: Iterable[LightSet]) -> int:
    """How many pictures the strips of these sets have."""
    return sum(1 + 2 * len(light_set.samples) for light_set in sets)


def strips(
    sets: Iterable[LightSet],
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    side: int,
) -> list[Strip]:
    """The light sets with their pictures.

    Args:
        side: longer side of the pictures, pixels.
    """
    pair_rows = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    sample_ids = predictions.scalars["sample_id"].to_pylist()
    prediction_rows = {sample_id: row for row, sample_id in enumerate(sample_ids)}

    def view(sample_id: str) -> tuple[str, str, str]:
        beauty = pairs.tensor("beauty", pair_rows[sample_id])
        prediction = predictions.tensor("prediction", prediction_rows[sample_id])
        return str(sample_id), _picture(beauty, side), _picture(prediction, side)

    return [
        Strip(
            light_set,
            _truth(pairs, pair_rows[light_set.samples[0]], side),
            [view(sample_id) for sample_id in light_set.samples],
        )
        for light_set in sets
    ]


def _picture(image: np.ndarray, side: int) -> str:
    return png_uri(image_thumbnail(image, side))


def _truth(pairs: PairShards, row: int, side: int) -> str:
    valid = mask_thumbnail(pairs.tensor("valid", row), side)
    return png_uri(hatched(image_thumbnail(pairs.tensor("albedo", row), side), valid))


def _shown_lights(lights: int) -> list[int]:
    """Evenly spaced lights, with the first and the last."""
    return np.rint(np.linspace(0, lights - 1, min(lights, MAX_LIGHTS))).astype(int).tolist()
