"""Samples of several shapes: the gallery of the page, and the one in a picture."""

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from albedo_pipeline.reporting.plots.gallery import gallery_figure
from albedo_pipeline.shards.datasets import (
    PairShardsDataset,
    PredictionShardsDataset,
    ShardsDataset,
)
from albedo_pipeline.shards.shards import Shards

SHAPES = (32, 32), (32, 16), (16, 32)


def reshaped(shards: Shards, dataset: ShardsDataset, names: tuple[str, ...]) -> Shards:
    """The same samples, cut to one of `SHAPES` by the last letter of their name."""
    rows = []
    for row, scalars in enumerate(shards.scalars.to_pylist()):
        height, width = SHAPES[int(scalars["sample_id"][-1]) % len(SHAPES)]
        cut = {name: shards.tensor(name, row)[:, :height, :width] for name in names}
        rows.append(scalars | cut)
    dataset.save(rows)
    return dataset.load()


@pytest.fixture
def inputs(make, tmp_path: Path) -> dict:
    made = make(12, gallery=6)
    pairs = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    predictions = PredictionShardsDataset(filepath=str(tmp_path / "predictions"))
    return made | {
        "pairs": reshaped(made["pairs"], pairs, ("beauty", "albedo", "valid")),
        "predictions": reshaped(made["predictions"], predictions, ("prediction", "roundtrip")),
    }


def test_the_page_shows_every_sample_in_its_own_shape(inputs, page_of) -> None:
    page = page_of(inputs)
    found = re.findall(r'class="prediction" src="data:image/png;base64,([^"]+)"', page)
    sizes = {Image.open(io.BytesIO(base64.b64decode(png))).size for png in found}
    assert sizes == {(width, height) for height, width in SHAPES}
    assert "object-fit: contain" in page


def test_the_picture_of_the_gallery_takes_several_shapes(inputs) -> None:
    names = ("per_sample", "predictions", "pairs", "manifest")
    figure = gallery_figure(*(inputs[name] for name in names), "test")
    figure.draw_without_rendering()
    shapes = {axes.images[0].get_array().shape[:2] for axes in figure.axes}
    assert shapes == set(SHAPES)
