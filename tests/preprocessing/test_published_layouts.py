"""InteriorVerse and Hypersim, from their files to what is stored, against values found by hand."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from kedro.io import AbstractDataset

from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.audit import audit_of, summary_of
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.manifest import manifest_of, quarantine_of
from albedo_pipeline.readers.hypersim import HypersimDataset
from albedo_pipeline.readers.interiorverse import InteriorVerseDataset
from albedo_pipeline.shards.datasets import PairShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards
from tests.support import broken_images as broken

SIDE = 16
BRIGHT, VOID = slice(0, 4), slice(14, 16)
"""Rows: a quarter of the picture in bright light, an eighth without a surface."""
ALBEDO_STORED = (0.9063, 0.6652, 0.4845)
"""sRGB of 0.8, 0.4, 0.2."""


def beauty(void: float) -> np.ndarray:
    """Half floats: 0.5, 0.25, 0.125, four times that where it is bright."""
    image = np.full((SIDE, SIDE, 3), (0.5, 0.25, 0.125), np.float16)
    image[BRIGHT] *= 4
    image[VOID] = void
    return image


def albedo() -> np.ndarray:
    return np.full((SIDE, SIDE, 3), (0.8, 0.4, 0.2), np.float16)


def stored(dataset: AbstractDataset, folder: Path, **exposure) -> PairShards:
    params = IngestParams.model_validate({"resolution": SIDE, "exposure": exposure})
    target = PairShardsDataset(filepath=str(folder / "pairs"))
    target.save(PairBuild(dataset.load(), params))
    return target.load()


def check(pairs: PairShards, exposure: float, dim: tuple, bright: tuple) -> None:
    assert pairs.scalars["exposure"][0].as_py() == pytest.approx(exposure, abs=1e-3)
    light, colour = (
        dequantize(pairs.tensor(n, 0)).transpose(1, 2, 0) for n in ("beauty", "albedo")
    )
    np.testing.assert_allclose(light[BRIGHT], np.broadcast_to(bright, (4, SIDE, 3)), atol=1e-3)
    np.testing.assert_allclose(light[4:14], np.broadcast_to(dim, (10, SIDE, 3)), atol=1e-3)
    np.testing.assert_allclose(colour, np.broadcast_to(ALBEDO_STORED, colour.shape), atol=1e-3)
    valid = pairs.tensor("valid", 0)[0]
    assert not valid[VOID].any()
    assert valid[:14].all()


def test_hypersim_by_its_own_tone_mapping(tmp_path: Path) -> None:
    """Brightness of the bright part: 0.3 * 2 + 0.59 * 1 + 0.11 * 0.5 = 1.245, the 90th percentile
    of the pixels that see an entity, goes to 0.8 ** 2.2 = 0.6121."""
    entities = np.full((SIDE, SIDE), 7, np.int32)
    entities[VOID] = -1
    frame = "ai_001_001/images/scene_cam_00_{}_hdf5/frame.0007.{}.hdf5"
    files = {
        frame.format("final", "color"): beauty(void=100),
        frame.format("final", "diffuse_reflectance"): albedo(),
        frame.format("geometry", "render_entity_id"): entities,
    }
    for name, values in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            file.create_dataset("dataset", data=values)
    pairs = stored(HypersimDataset(filepath=str(tmp_path)), tmp_path, policy="hypersim")
    check(pairs, 0.4916, (0.5329, 0.3855, 0.275), (0.9926, 0.7298, 0.5329))


def test_hypersim_without_its_mirrors(tmp_path: Path) -> None:
    """Row 4 is a mirror by its label, row 5 is glass: black under light; row 6 is a lamp of 3."""
    colours, semantic = albedo(), np.ones((SIDE, SIDE), np.int16)
    semantic[4], colours[4:6], colours[6] = 19, 0, 3
    frame = "ai_001_001/images/scene_cam_00_{}_hdf5/frame.0007.{}.hdf5"
    files = {
        frame.format("final", "color"): beauty(void=0),
        frame.format("final", "diffuse_reflectance"): colours,
        frame.format("geometry", "render_entity_id"): np.ones((SIDE, SIDE), np.int32),
        frame.format("geometry", "semantic"): semantic,
    }
    for name, values in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            file.create_dataset("dataset", data=values)

    def ingested(folder: str, target_mask: dict, **ids) -> PairShards:
        params = IngestParams.model_validate({"resolution": SIDE, "target_mask": target_mask})
        target = PairShardsDataset(filepath=str(tmp_path / folder))
        target.save(PairBuild(HypersimDataset(filepath=str(tmp_path), **ids).load(), params))
        return target.load()

    plain = ingested("plain", {})
    rules = {"max_albedo": 1.0, "black_albedo": 0.0, "bright_beauty": 0.05}
    masked = ingested("masked", rules, ids="semantic", masked_ids=[19])
    assert plain.tensor("valid", 0).all()
    invalid = np.flatnonzero(~masked.tensor("valid", 0)[0].astype(bool).all(axis=1))
    assert invalid.tolist() == [4, 5, 6]
    np.testing.assert_array_equal(masked.tensor("beauty", 0), plain.tensor("beauty", 0))
    columns = ("masked_above_share", "masked_black_share", "masked_id_share")
    assert [masked.scalars[name][0].as_py() for name in columns] == [1 / SIDE] * 3
    assert [plain.scalars[name][0].as_py() for name in columns] == [0] * 3
    split = IngestParams(resolution=SIDE).split.model_copy(update={"validation": 0, "test": 0})
    for pairs, count in ((plain, 0), (masked, 1)):
        table = manifest_of(pairs, split)
        flags = summary_of(audit_of(pairs, table, quarantine_of(pairs)))["flags"]
        assert [flags[f"masked_{name}"] for name in ("above", "black", "ids")] == [count] * 3


def test_interiorverse_by_the_percentile_of_luminance(tmp_path: Path) -> None:
    """Luminance of the bright part: 0.2126 * 2 + 0.7152 * 1 + 0.0722 * 0.5 = 1.1765, the 90th
    percentile, goes to an encoded 0.8, which is 0.6038."""
    mask = np.ones((SIDE, SIDE, 3), np.float16)
    mask[VOID] = 0
    scene = tmp_path / "L3D1"
    scene.mkdir()
    for kind, pixels in (("im", beauty(void=0)), ("albedo", albedo()), ("mask", mask)):
        broken.image(scene / f"000_{kind}.exr", pixels)
    pairs = stored(InteriorVerseDataset(filepath=str(tmp_path)), tmp_path)
    check(pairs, 0.5132, (0.5436, 0.3934, 0.2809), (1, 0.744, 0.5436))
