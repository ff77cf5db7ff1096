"""The same surfaces under several lights: what the model makes of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.reporting.formatting import MODEL, measured
from albedo_pipeline.reporting.images import hatched, png_uri, shrunk, shrunk_mask
from albedo_pipeline.reporting.sections.gallery import spread
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards

SETS, LIGHTS = 3, 6
"""Sets that are shown, and lights of each."""


@dataclass(frozen=True)
class LightSet:
    """One set; its samples in the order of their names."""

    place: str
    """`best`, `median`, `worst`."""
    error: str
    """The model's constancy error."""
    samples: list[str]
    """The lights that are shown."""
    lights: int
    """All of them."""


@dataclass(frozen=True)
class Strip:
    """A set with its pictures, data URIs."""

    light_set: LightSet
    truth: str
    views: list[tuple[str, str, str]]
    """(sample_id, beauty, prediction)."""


def light_sets(per_sample: pd.DataFrame, split: str) -> list[LightSet]:
    """The best, the median and the worst set of one split by the model's constancy error."""
    if not {"set", "constancy"} <= set(per_sample):
        return []
    rows = per_sample[(per_sample["split"] == split) & (per_sample["method"] == MODEL)]
    rows = rows[(rows["set"] != "") & rows["constancy"].notna()].sort_values("sample_id")
    found = [(float(part["constancy"].iloc[0]), part) for _, part in rows.groupby("set")]
    found.sort(key=lambda item: item[0])  # equal ones stay in the order of their names
    names = {0: "best", len(found) // 2: "median", len(found) - 1: "worst"}
    return [
        LightSet(
            place=names[rank] if len(found) > 1 else "the only set",
            error=measured("constancy", found[rank][0]),
            samples=[found[rank][1]["sample_id"].iloc[i] for i in _some(len(found[rank][1]))],
            lights=len(found[rank][1]),
        )
        for rank in spread(len(found), SETS)
    ]


def pictures_of(sets: Iterable[LightSet]) -> int:
    """How many pictures the strips of these sets hold."""
    return sum(1 + 2 * len(light_set.samples) for light_set in sets)


def strips(
    sets: Iterable[LightSet],
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    side: int,
) -> list[Strip]:
    """The sets with their pictures; `side` is the longer one, pixels."""
    rows = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    places = {name: i for i, name in enumerate(predictions.scalars["sample_id"].to_pylist())}
    return [
        Strip(
            light_set,
            _truth(pairs, rows[light_set.samples[0]], side),
            [
                (
                    str(name),
                    png_uri(shrunk(pairs.tensor("beauty", rows[name]), side)),
                    png_uri(shrunk(predictions.tensor("prediction", places[name]), side)),
                )
                for name in light_set.samples
            ],
        )
        for light_set in sets
    ]


def _truth(pairs: PairShards, row: int, side: int) -> str:
    valid = shrunk_mask(pairs.tensor("valid", row), side)
    return png_uri(hatched(shrunk(pairs.tensor("albedo", row), side), valid))


def _some(lights: int) -> list[int]:
    """Evenly spread over them, with the first and the last."""
    return np.rint(np.linspace(0, lights - 1, min(lights, LIGHTS))).astype(int).tolist()
