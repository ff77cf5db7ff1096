"""Variants of the report's inputs: an ensemble with a light set, and samples of several shapes."""

from pathlib import Path

import numpy as np

from albedo_pipeline.shards.datasets import (
    PairShardsDataset,
    PredictionShardsDataset,
    ShardsDataset,
)
from albedo_pipeline.shards.shards import Shards
from benchmarks.row_build import save_rows

SHAPES = (32, 32), (32, 16), (16, 32)
"""Height and width of the samples that `with_shapes` makes."""


def with_ensemble(inputs: dict, folder: Path, light_set: list[str]) -> dict:
    """The inputs with uncertainty maps, AURC and a light set.

    The uncertainty of a sample is constant, and increases in steps of 0.01 from sample to sample.
    One sample has no AURC.

    Args:
        folder: where the predictions are stored.
        light_set: sample_id of each sample of the light set.
    """
    stored = inputs["predictions"]
    dataset = PredictionShardsDataset(filepath=str(folder))
    save_rows(
        dataset,
        (
            {name: value for name, value in scalars.items() if name != "digest"}
            | {name: stored.tensor(name, row) for name in stored.tensor_names}
            | {"uncertainty": np.full((1, 32, 32), row * 655, np.uint16)}
            for row, scalars in enumerate(stored.scalars.to_pylist())
        ),
    )
    table = inputs["per_sample"].copy()
    names = list(dict.fromkeys(table["sample_id"]))
    in_set = table["sample_id"].isin(light_set)
    table["set"] = np.where(in_set, light_set[0], "")
    table["constancy"] = np.where(in_set, 0.025, np.nan)
    unknown = (table["sample_id"] == names[5]) | (table["method"] != "model")
    number = table["sample_id"].map({name: number for number, name in enumerate(names)})
    table["aurc"] = (0.1 + number % 7 / 100).mask(unknown)
    return inputs | {"predictions": dataset.load(), "per_sample": table}


def with_shapes(inputs: dict, folder: Path) -> dict:
    """The inputs with each sample cut to one of `SHAPES`, by the last digit of its sample_id."""
    pairs = PairShardsDataset(filepath=str(folder / "pairs"))
    predictions = PredictionShardsDataset(filepath=str(folder / "predictions"))
    return inputs | {
        "pairs": _cut(inputs["pairs"], pairs, ("beauty", "albedo", "valid")),
        "predictions": _cut(inputs["predictions"], predictions, ("prediction", "roundtrip")),
    }


def _cut(shards: Shards, dataset: ShardsDataset, names: tuple[str, ...]) -> Shards:
    rows = []
    for row, scalars in enumerate(shards.scalars.to_pylist()):
        height, width = SHAPES[int(scalars["sample_id"][-1]) % len(SHAPES)]
        tensors = {name: shards.tensor(name, row)[:, :height, :width] for name in names}
        rows.append({k: v for k, v in scalars.items() if k != "digest"} | tensors)
    save_rows(dataset, rows)
    return dataset.load()
