"""Hypersim: a scene as its archives have it, with values known beforehand."""

import tarfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.readers.hypersim import HypersimDataset
from albedo_pipeline.readers.raw_pairs import RawPair

BEAUTY, ALBEDO = (3.5, 0.25, 0.125), (0.8, 0.4, 0.2)
FINAL = "ai_001_001/images/scene_cam_00_final_hdf5/frame.0007"
ENTITIES = "ai_001_001/images/scene_cam_00_geometry_hdf5/frame.0007.render_entity_id.hdf5"


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A folder with one frame of 4 x 3 pixels; two see no entity."""
    entities = np.full((3, 4), 7, np.int32)
    entities[0, 0] = entities[2, 1] = -1
    files = {
        f"{FINAL}.color.hdf5": np.full((3, 4, 3), BEAUTY, np.float16),
        f"{FINAL}.diffuse_reflectance.hdf5": np.full((3, 4, 3), ALBEDO, np.float16),
        ENTITIES: entities,
    }
    for name, values in files.items():
        write(tmp_path / name, values)
    return tmp_path


def write(path: Path, values: np.ndarray, key: str = "dataset") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset(key, data=values, compression="gzip")


def load(folder: Path, **options) -> RawPair:
    return HypersimDataset(filepath=str(folder), **options).load()[0].load()


def check(pair: RawPair) -> None:
    assert (pair.sample_id, pair.group) == ("ai_001_001/cam_00/frame.0007", "ai_001_001")
    np.testing.assert_allclose(pair.beauty, np.full((3, 4, 3), BEAUTY), atol=1e-3)
    np.testing.assert_allclose(pair.albedo, np.full((3, 4, 3), ALBEDO), atol=1e-3)
    assert np.argwhere(~pair.valid).tolist() == [[0, 0], [2, 1]]
    assert (pair.beauty.dtype, pair.beauty_type, pair.beauty_space) == (
        np.float32,
        "half",
        "linear",
    )


def test_a_frame(scene: Path) -> None:
    check(load(scene))


def test_a_frame_in_a_tar(scene: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "hypersim.tar", "w") as archive:
        archive.add(scene / "ai_001_001", "ai_001_001")
    check(load(tmp_path / "hypersim.tar"))


def test_pixels_are_masked_by_their_ids(scene: Path) -> None:
    semantic = np.array([[19, 19, 1, 1], [35, 9, 1, 1], [1, 1, 1, 1]], np.int16)
    write(scene / ENTITIES.replace("render_entity_id", "semantic"), semantic)
    pair = load(scene, ids="semantic", masked_ids=[9, 19])
    # The pixels at (0, 0) and (2, 1) see no entity, so they are not counted.
    assert np.argwhere(~pair.valid).tolist() == [[0, 0], [0, 1], [1, 1], [2, 1]]
    assert pair.masked_id_share == 2 / 12
    pair = load(scene, ids="render_entity_id", masked_ids=[7])
    assert (pair.valid.any(), pair.masked_id_share) == (False, 10 / 12)
    assert load(scene).masked_id_share == 0


def test_ids_are_part_of_the_signature(scene: Path) -> None:
    write(scene / ENTITIES.replace("render_entity_id", "semantic"), np.zeros((3, 4), np.int16))
    options = (
        {},
        {"ids": "semantic", "masked_ids": [9]},
        {"ids": "semantic", "masked_ids": [19]},
        {"ids": "render_entity_id", "masked_ids": [9]},
    )
    folder = str(scene)
    signatures = {HypersimDataset(filepath=folder, **o).load()[0].signature() for o in options}
    assert len(signatures) == 4


def test_wrong_ids_are_refused(scene: Path) -> None:
    for options, message in (
        ({"ids": "material", "masked_ids": [1]}, "^ids: 'material' is not one of semantic, "),
        ({"ids": "semantic"}, "^masked_ids: is empty, but ids is set"),
        ({"masked_ids": [1]}, "^ids: is not set, but masked_ids is"),
        ({"ids": "semantic", "masked_ids": 9}, "^masked_ids: 9 is not a list of whole numbers$"),
        ({"ids": "semantic", "masked_ids": ["9"]}, "^masked_ids: .* not a list of whole numbers$"),
    ):
        with pytest.raises(ProjectError, match=message):
            HypersimDataset(filepath=str(scene), **options)
    with pytest.raises(BadSampleError, match=r"frame\.0007\.semantic\.hdf5: no ids$"):
        load(scene, ids="semantic", masked_ids=[1])


def test_missing_files(scene: Path) -> None:
    (scene / ENTITIES).unlink()
    with pytest.raises(BadSampleError, match=rf"^{ENTITIES}: no entity ids$"):
        load(scene)
    (scene / f"{FINAL}.diffuse_reflectance.hdf5").unlink()
    with pytest.raises(BadSampleError, match=r"diffuse_reflectance\.hdf5: no albedo$"):
        load(scene)
    (scene / f"{FINAL}.color.hdf5").unlink()
    write(scene / "other.hdf5", np.zeros(1))
    with pytest.raises(DatasetError, match=r"color\.hdf5; found, for example, other\.hdf5$"):
        load(scene)


def test_damaged_files(scene: Path) -> None:
    path = scene / f"{FINAL}.color.hdf5"
    content = path.read_bytes()
    damaged = {"text": b"not HDF5", "empty": b"", "cut": content[: len(content) // 2]}
    for broken in damaged.values():
        path.write_bytes(broken)
        with pytest.raises(BadSampleError, match=r"hdf5: not an HDF5 file, or a damaged one$"):
            load(scene)


@pytest.mark.parametrize(
    ("values", "key", "message"),
    [
        (np.zeros((3, 4, 3), np.float16), "other", "no HDF5 dataset named dataset$"),
        (np.zeros((3, 4), np.float16), "dataset", r"shape \(3, 4\): expected 3 channel\(s\)$"),
        (np.zeros((3, 4, 3), "S4"), "dataset", "is not a plain HDF5 dataset of numbers$"),
        (np.zeros((300, 400, 3), np.float16), "dataset", "400 x 300 pixels: more than 0.1 mega"),
        (np.zeros((3, 4, 3), np.float16), "dataset/deeper", "is not a plain HDF5 dataset$"),
    ],
)
def test_other_contents(scene: Path, values: np.ndarray, key: str, message: str) -> None:
    write(scene / f"{FINAL}.color.hdf5", values, key)
    with pytest.raises(BadSampleError, match=rf"^{FINAL}\.color\.hdf5: .*{message}"):
        load(scene, max_megapixels=0.1)


def test_links_to_other_files_are_not_followed(scene: Path) -> None:
    write(scene / "secret.hdf5", np.zeros((3, 4, 3), np.float32))
    with h5py.File(scene / f"{FINAL}.color.hdf5", "w") as file:
        file["dataset"] = h5py.ExternalLink(str(scene / "secret.hdf5"), "dataset")
    with pytest.raises(BadSampleError, match=r"is not a plain HDF5 dataset$"):
        load(scene)


def test_sizes_that_differ(scene: Path) -> None:
    write(scene / ENTITIES, np.zeros((5, 6), np.int32))
    with pytest.raises(BadSampleError, match=r"^render_entity_id is 6 x 5 but beauty is 4 x 3$"):
        load(scene)
