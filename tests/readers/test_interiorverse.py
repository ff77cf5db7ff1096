"""InteriorVerse: a scene as its archives have it, with values known beforehand."""

from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.errors import BadSampleError
from albedo_pipeline.readers.interiorverse import InteriorVerseDataset
from tests.support import broken_images as broken

BEAUTY, ALBEDO = (3.5, 0.25, 0.125), (0.8, 0.4, 0.2)


def frame(scene: Path, number: int) -> None:
    scene.mkdir(parents=True, exist_ok=True)
    mask = np.ones((3, 4, 3), np.float32)
    mask[0, 0], mask[1, 1] = 0, (1, 0, 1)
    pixels = {"im": np.full((3, 4, 3), BEAUTY), "albedo": np.full((3, 4, 3), ALBEDO), "mask": mask}
    for kind, values in pixels.items():
        broken.image(scene / f"{number:03d}_{kind}.exr", values.astype(np.float16))
    broken.image(scene / f"{number:03d}_depth.exr", mask[..., :1], ("Y",))


def test_a_scene(tmp_path: Path) -> None:
    frame(tmp_path / "L3D1", 0)
    frame(tmp_path / "L3D1", 1)
    references = InteriorVerseDataset(filepath=str(tmp_path)).load()
    assert [(r.sample_id, r.group) for r in references] == [
        ("L3D1/000", "L3D1"),
        ("L3D1/001", "L3D1"),
    ]
    pair = references[0].load()
    np.testing.assert_allclose(pair.beauty, np.full((3, 4, 3), BEAUTY), atol=1e-3)
    np.testing.assert_allclose(pair.albedo, np.full((3, 4, 3), ALBEDO), atol=1e-3)
    assert np.argwhere(~pair.valid).tolist() == [[0, 0], [1, 1]]
    assert (pair.beauty_space, pair.albedo_space, pair.beauty_type) == ("linear", "linear", "half")


def test_scenes_one_folder_deeper(tmp_path: Path) -> None:
    frame(tmp_path / "scenes_85" / "L3D1", 0)
    reference = InteriorVerseDataset(filepath=str(tmp_path)).load()[0]
    assert (reference.sample_id, reference.group) == ("scenes_85/L3D1/000", "scenes_85/L3D1")


def test_a_missing_mask_spoils_the_sample(tmp_path: Path) -> None:
    frame(tmp_path / "L3D1", 0)
    frame(tmp_path / "L3D1", 1)
    (tmp_path / "L3D1" / "000_mask.exr").unlink()
    references = InteriorVerseDataset(filepath=str(tmp_path)).load()
    with pytest.raises(BadSampleError, match=r"^L3D1/000_mask\.exr: no mask$"):
        references[0].load()


def test_wrong_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none: no such folder"):
        InteriorVerseDataset(filepath=str(tmp_path / "none")).load()
    with pytest.raises(DatasetError, match="no file fits the pattern"):
        InteriorVerseDataset(filepath=str(tmp_path)).load()
    frame(tmp_path / "scene", 0)
    with pytest.raises(DatasetError, match=r"scene: 000_im\.exr lies in no scene's folder"):
        InteriorVerseDataset(filepath=str(tmp_path / "scene")).load()
