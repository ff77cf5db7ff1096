"""Images of ids: numbers are read as the file has them."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.imaging.io.ids import read_ids
from tests.support import broken_images as broken

MANY = 10**6
IDS = np.array([[0, 1, 2], [7, 200, 255]])


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("a.png", np.uint8),
        ("a.png", np.uint16),
        ("a.tif", np.uint16),
        ("a.exr", np.float32),
        ("a.exr", np.float16),
        ("a.exr", np.uint32),
    ],
)
def test_ids_are_not_scaled(tmp_path: Path, name: str, dtype: type) -> None:
    path = broken.image(tmp_path / name, IDS.astype(dtype)[..., None], ("Y",))
    np.testing.assert_array_equal(read_ids(path, MANY), IDS)


def test_large_ids_of_an_exr_are_exact(tmp_path: Path) -> None:
    ids = np.array([[2**32 - 1, 2**31 + 1]], np.uint32)
    path = broken.image(tmp_path / "a.exr", ids[..., None], ("id",))
    assert read_ids(path, MANY, "id").tolist() == ids.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_ids_in_an_array(tmp_path: Path, dtype: type) -> None:
    np.save(tmp_path / "a.npy", IDS.astype(dtype))
    np.testing.assert_array_equal(read_ids(tmp_path / "a.npy", MANY), IDS)


def test_pixels_without_data_have_the_id_0(tmp_path: Path) -> None:
    ids = np.full((1, 1, 1), 9, np.float32)
    path = broken.image(tmp_path / "a.exr", ids, ("Y",), origin=(1, 0), display=(0, 0, 2, 2))
    assert read_ids(path, MANY).tolist() == [[0, 9], [0, 0]]


def test_what_holds_no_ids_is_refused(tmp_path: Path) -> None:
    colours = broken.image(tmp_path / "a.png", broken.codes())
    with pytest.raises(ValueError, match=r"a\.png: 3 channels, expected one of ids"):
        read_ids(colours, MANY)
    with pytest.raises(ValueError, match=r"b\.png: no such file$"):
        read_ids(tmp_path / "b.png", MANY)
    with pytest.raises(ValueError, match=r"a\.png: .*expected one material$"):
        read_ids(colours, MANY, "material")
    with pytest.raises(ValueError, match=r"c\.exr: .*damaged"):
        read_ids(broken.cut(tmp_path / "c.exr"), MANY, "R")
    with pytest.raises(ValueError, match=r"a\.png: 48 x 64 pixels: more than 0\.001 megapixels"):
        read_ids(broken.grey(tmp_path / "a.png"), 1000)
