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
from albedo_pipeline.readers.filename_list import FilenameListDataset
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


SCENE = "scenes_85/L3D124S21ENDIMPH3DQUI5NFSLUF3P3XG888"
INTERIORVERSE = [
    [f"{SCENE}/{frame:03d}_{kind}.exr" for kind in ("im", "albedo", "material", "mask")]
    for frame in range(12)
]
"""The names in the first lines of Marigold's list of InteriorVerse's test split."""
KINDS = (
    "rgb_{}.png",
    "albedo_{}.npy",
    "shading_{}.npy",
    "residual_{}.npy",
    "shading_stats_{}.json",
)
HYPERSIM = [
    [f"test/ai_001_010/{kind.format(f'cam_00_fr{frame:04d}')}" for kind in KINDS]
    for frame in range(12)
]
"""The names in the first lines of Marigold's list of Hypersim's test split."""


def write_list(folder: Path, lines: list[list[str]]) -> None:
    (folder / "list.txt").write_text("\n".join(map(" ".join, lines)), encoding="utf-8")
    for names in lines:
        (folder / names[0]).parent.mkdir(parents=True, exist_ok=True)


def test_marigolds_list_of_interiorverse_as_it_is(tmp_path: Path) -> None:
    """The second image is not there, nor the mask of the third; no material is."""
    write_list(tmp_path, INTERIORVERSE)
    mask = np.ones((SIDE, SIDE, 3), np.float16)
    mask[VOID] = 1, 0, 1
    for number, (im, colour, _, valid) in enumerate(INTERIORVERSE):
        files = {im: beauty(void=0), colour: albedo(), valid: mask}
        missing = {1: im, 2: valid}.get(number)
        for name, pixels in files.items():
            if name != missing:
                broken.image(tmp_path / name, pixels)
    raw = FilenameListDataset(filepath=str(tmp_path / "list.txt"), preset="interiorverse_iid")
    pairs = stored(raw, tmp_path)
    check(pairs, 0.5132, (0.5436, 0.3934, 0.2809), (1, 0.744, 0.5436))
    assert [(item.sample_id, item.reason) for item in pairs.rejected] == [
        (f"{SCENE}/001_im", f"{SCENE}/001_im.exr: no such file"),
        (f"{SCENE}/002_im", f"{SCENE}/002_mask.exr: no such file"),
    ]
    assert set(pairs.scalars["group"].to_pylist()) == {SCENE}
    manifest = pairs.scalars.to_pandas().assign(split="test", row=range(10))
    summary = summary_of(audit_of(pairs, manifest, quarantine_of(pairs)))
    assert (summary["samples"], summary["quarantined"], summary["missing_files"]) == (10, 2, 2)


def test_marigolds_list_of_hypersim_as_it_is(tmp_path: Path) -> None:
    """The PNG is encoded and the array is linear; shading, residual and statistics are not read."""
    write_list(tmp_path, HYPERSIM)
    for image, colour, *_ in HYPERSIM:
        broken.image(tmp_path / image, np.full((SIDE, SIDE, 3), (200, 100, 50), np.uint8))
        np.save(tmp_path / colour, albedo().astype(np.float64))
    raw = FilenameListDataset(filepath=str(tmp_path / "list.txt"), preset="hypersim_iid")
    pairs = stored(raw, tmp_path, policy="none")
    assert (len(pairs.scalars), pairs.rejected) == (12, [])
    names = pairs.scalars["sample_id"].to_pylist()
    assert names == [f"test/ai_001_010/rgb_cam_00_fr{frame:04d}" for frame in range(12)]
    light, colour = (dequantize(pairs.tensor(n, 11)) for n in ("beauty", "albedo"))
    for stored_image, expected in (
        (light, np.array([200, 100, 50]) / 255),
        (colour, np.array(ALBEDO_STORED)),
    ):
        target = np.broadcast_to(expected[:, None, None], stored_image.shape)
        np.testing.assert_allclose(stored_image, target, atol=1e-4)
    assert pairs.tensor("valid", 11).all()
