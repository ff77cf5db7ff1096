"""Images in `.npy` files, read with `read_colour` and `read_mask`."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.imaging.io.read import read_colour, read_mask

MANY = 10**8


@pytest.mark.parametrize(
    ("dtype", "top", "name"),
    [
        (np.uint8, 255, "uint8"),
        (np.uint16, 65535, "uint16"),
        (">u2", 65535, "uint16"),
        (np.float16, 1, "half"),
        (np.float32, 1, "float"),
        (np.float64, 1, "double"),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_type_of_number_is_read(
    tmp_path: Path, dtype: type, top: int, name: str, order: str
) -> None:
    unit = np.array([0, 1, 0.2, 0.6], np.float32).repeat(6).reshape(4, 2, 3)
    np.save(tmp_path / "a.npy", np.asarray(unit * top, dtype, order=order))
    read = read_colour(tmp_path / "a.npy", MANY)
    assert (read.type, read.present, read.pixels.dtype) == (name, None, np.float32)
    np.testing.assert_allclose(read.pixels, unit, rtol=1e-3)


def test_alpha_and_masks_are_read(tmp_path: Path) -> None:
    pixels = np.ones((4, 6, 4), np.float32)
    pixels[1, 2, 3] = 0
    np.save(tmp_path / "a.npy", pixels)
    np.save(tmp_path / "m.npy", pixels[..., 3])
    np.testing.assert_array_equal(
        read_colour(tmp_path / "a.npy", MANY).present, pixels[..., 3] == 1
    )
    np.testing.assert_array_equal(read_mask(tmp_path / "m.npy", MANY), pixels[..., 3:])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((4, 4), np.float32),
            r"1 channel\(s\), expected red, green and blue; .* grey_beauty",
        ),
        (np.zeros((4, 4, 5), np.float32), r"shape \(4, 4, 5\): not an image$"),
        (np.zeros(4, np.float32), r"shape \(4,\): not an image$"),
        (np.zeros((4, 4, 3), np.int64), "type int64, expected one of bool, uint8"),
        (np.array([{}]), "type object, expected one of"),
        (np.zeros((0, 4, 3), np.float32), "4 x 0 pixels: the image is empty$"),
        (np.zeros((40, 50, 3), np.uint8), r"50 x 40 pixels: more than 0\.001 megapixels$"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(ValueError, match=rf"a\.npy: .*{message}"):
        read_colour(tmp_path / "a.npy", 1000)


@pytest.mark.parametrize(
    ("keep", "message"), [(0, "not a .npy"), (50, "not a .npy"), (400, "damaged or cut off$")]
)
def test_damaged_files_are_refused(tmp_path: Path, keep: int, message: str) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((20, 20, 3), np.float32))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"a\.npy: .*{message}"):
        read_colour(path, MANY)


def test_the_size_in_the_header_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        shape = {"descr": "<f4", "fortran_order": False, "shape": (60000, 60000, 3)}
        np.lib.format.write_array_header_1_0(file, shape)
    with pytest.raises(ValueError, match=r"60000 x 60000 pixels: more than 100 megapixels$"):
        read_colour(path, MANY)
    with pytest.raises(ValueError, match=r"a\.npy: damaged or cut off$"):
        read_colour(path, 10**10)


def test_a_boolean_array_is_a_mask(tmp_path: Path) -> None:
    mask = np.eye(4, dtype=bool)
    np.save(tmp_path / "m.npy", mask)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.npy", MANY)[..., 0], mask)
