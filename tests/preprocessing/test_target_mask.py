"""What Mitsuba calls the albedo of metal and of a mirror is masked; the wall between stays."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.pair_rows import pair_rows
from albedo_pipeline.provenance.code import decides_stored_bytes, modules_behind
from albedo_pipeline.readers.exr_layers import ExrLayersDataset
from albedo_pipeline.shards.datasets import PairShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards

RULES = {"max_albedo": 1.0, "black_albedo": 0.0, "bright_beauty": 0.1}
METAL, WALL, MIRROR = slice(0, 3), slice(7, 9), slice(13, 16)
"""Columns of a picture of 16 that show nothing else; at the edges the filter mixes two strips."""


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wall of three strips in white light: rough metal, paint and a mirror."""
    mitsuba = pytest.importorskip("mitsuba")
    mitsuba.set_variant("scalar_rgb")
    paint = {"type": "diffuse", "reflectance": {"type": "rgb", "value": [0.2, 0.4, 0.8]}}
    strips = ({"type": "roughconductor", "alpha": 0.3}, paint, {"type": "conductor"})
    transform = mitsuba.ScalarTransform4f
    film = {"type": "hdrfilm", "width": 16, "height": 16, "pixel_format": "rgb"}
    scene = {
        "type": "scene",
        "integrator": {"type": "aov", "aovs": "albedo:albedo", "image": {"type": "path"}},
        "sensor": {"type": "perspective", "fov": 53.13, "film": film},  # 3 units wide at z = 3
        "light": {"type": "constant"},
    }
    for number, material in enumerate(strips):
        place = transform().translate([1 - number, 0, 3]).scale([0.5, 2, 1])  # x grows to the left
        scene[f"strip{number}"] = {"type": "rectangle", "to_world": place, "flip_normals": True}
        scene[f"strip{number}"]["material"] = material
    loaded = mitsuba.load_dict(scene)
    mitsuba.render(loaded, spp=16)
    folder = tmp_path_factory.mktemp("render")
    loaded.sensors()[0].film().bitmap().write(str(folder / "1.exr"))
    return folder


def ingested(render: Path, target: Path, **target_mask: float) -> PairShards:
    params = IngestParams.model_validate({"resolution": 16, "target_mask": target_mask})
    dataset = PairShardsDataset(filepath=str(target))
    dataset.save(PairBuild(ExrLayersDataset(filepath=str(render), preset="mitsuba").load(), params))
    return dataset.load()


def test_metal_and_mirror_are_masked(render: Path, tmp_path: Path) -> None:
    plain = ingested(render, tmp_path / "plain")
    assert plain.scalars["albedo_max"][0].as_py() > 2  # of the metal
    assert plain.tensor("valid", 0).all()
    masked = ingested(render, tmp_path / "masked", **RULES)
    valid = masked.tensor("valid", 0)[0].astype(bool)
    assert not valid[:, METAL].any()
    assert not valid[:, MIRROR].any()
    assert valid[:, WALL].all()
    for column in ("masked_above_share", "masked_black_share"):
        assert 3 / 16 <= masked.scalars[column][0].as_py() <= 6 / 16
    assert masked.scalars["albedo_clipped_share"][0].as_py() == 0
    np.testing.assert_array_equal(masked.tensor("albedo", 0), plain.tensor("albedo", 0))


def test_the_code_that_masks_is_part_of_the_cache_key() -> None:
    behind = modules_behind([pair_rows.__module__], decides_stored_bytes)
    names = {"imaging.target_checks", "imaging.io.ids", "readers.masked_ids"}
    assert {f"albedo_pipeline.{name}" for name in names} <= behind
