"""MAW: photographs with measured surfaces in the published layout, complete and damaged."""

import tarfile
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.errors import BadSampleError
from albedo_pipeline.imaging.io.write import write_png
from albedo_pipeline.readers.maw import MAWDataset
from albedo_pipeline.readers.photographs import Photo

GREYS = np.array([[0.2, 0.2, 0.2], [0.5, 0.5, 0.5]])
"""Linear Adobe RGB; greys are the same in Rec.709, whose white it shares."""


@pytest.fixture
def maw(tmp_path: Path) -> Path:
    """One photograph of 4 x 6 pixels, two surfaces of one row each."""
    folder = tmp_path / "maw"
    write_png(folder / "images_png" / "scene_3" / "DSC01.png", np.full((4, 6, 3), 51, np.uint8))
    mask = np.zeros((4, 6, 3), np.uint8)
    mask[1], mask[3] = 1, 2
    write_png(folder / "labels" / "DSC01_mask.png", mask)
    np.save(folder / "labels" / "DSC01.npy", GREYS)
    row = ("DSC01.npy", "DSC01_mask.png", "scene_3", "DSC01", "None", "None")
    (folder / "labels" / "meta.csv").write_text("\t".join(row) + "\n", encoding="utf-8")
    return folder


def load(path: Path) -> Photo:
    (photo,) = MAWDataset(filepath=str(path)).load()
    return photo


def check(photo: Photo) -> None:
    assert (photo.name, photo.group) == ("scene_3/DSC01", "scene_3")
    np.testing.assert_allclose(photo.read(), np.full((4, 6, 3), 0.2), atol=1e-6)
    measured = photo.read_known()
    np.testing.assert_allclose(measured.colours, GREYS, atol=1e-4)
    assert measured.labels.tolist() == [[0] * 6, [1] * 6, [0] * 6, [2] * 6]


def test_a_photograph(maw: Path) -> None:
    check(load(maw))


def test_in_a_tar(maw: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "maw.tar", "w") as archive:
        for name in ("labels", "images_png"):
            archive.add(maw / name, name)
    check(load(tmp_path / "maw.tar"))


def test_a_mask_without_a_zero_measures_every_pixel(maw: Path) -> None:
    mask = np.full((4, 6, 3), 5, np.uint8)
    mask[2:] = 9
    write_png(maw / "labels" / "DSC01_mask.png", mask)
    assert load(maw).read_known().labels[:, 0].tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("colours", "reason"),
    [
        (GREYS[0], "not an image"),
        (GREYS[:, :2], r"shape \(2, 2\): expected finite colours, \[n, 3\]"),
        (GREYS * np.nan, "expected finite colours"),
        (GREYS.astype(str), "numbers of type str"),
        (GREYS.astype(complex), "numbers of type complex128"),
    ],
)
def test_other_arrays(maw: Path, colours: np.ndarray, reason: str) -> None:
    np.save(maw / "labels" / "DSC01.npy", colours)
    with pytest.raises(BadSampleError, match=rf"^labels/DSC01\.npy: .*{reason}"):
        load(maw).read_known()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04junk", b"\x93NUMPY\x01\x00"])
def test_not_an_array(maw: Path, content: bytes) -> None:
    (maw / "labels" / "DSC01.npy").write_bytes(content)
    with pytest.raises(BadSampleError, match=r"^labels/DSC01\.npy: not a \.npy file"):
        load(maw).read_known()


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"x" * 200_000])
def test_not_a_table(maw: Path, content: bytes) -> None:
    (maw / "labels" / "meta.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"labels/meta\.csv: not a table of text"):
        load(maw)


def test_photographs_do_not_leave_the_root(maw: Path, tmp_path: Path) -> None:
    write_png(tmp_path / "secret.png", np.zeros((4, 6, 3), np.uint8))
    row = ("DSC01.npy", "DSC01_mask.png", "../..", "secret")
    (maw / "labels" / "meta.csv").write_text("\t".join(row), encoding="utf-8")
    with pytest.raises(BadSampleError, match="leaves the folder of the data"):
        load(maw).read()
