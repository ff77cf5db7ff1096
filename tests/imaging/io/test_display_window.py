"""Sizes, windows and orientations of image files, read with `read_colour`."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from albedo_pipeline.imaging.io.read import read_colour, read_mask
from tests.support import broken_images as broken

MANY = 10**8


def test_overscan_is_cut_off(tmp_path: Path) -> None:
    pixels = broken.noise(8, 6)
    path = broken.image(tmp_path / "a.exr", pixels, origin=(-2, -1), display=(0, 0, 3, 4))
    read = read_colour(path, MANY)
    np.testing.assert_array_equal(read.pixels, pixels[1:5, 2:5])
    assert read.present is None


@pytest.mark.parametrize("alpha", [False, True])
def test_a_cropped_render_is_placed_on_its_display_window(tmp_path: Path, alpha: bool) -> None:
    pixels = broken.noise(4, 3, 4 if alpha else 3)
    pixels[..., 3:] = 1
    window = {"origin": (12, 21), "display": (10, 20, 8, 10)}
    channels = ("R", "G", "B", "A")[: pixels.shape[2]]
    read = read_colour(broken.image(tmp_path / "a.exr", pixels, channels, **window), MANY)
    assert read.pixels.shape == (10, 8, 3)
    np.testing.assert_array_equal(read.pixels[1:5, 2:5], pixels[..., :3])
    expected = np.zeros((10, 8), bool)
    expected[1:5, 2:5] = True
    np.testing.assert_array_equal(read.present, expected)


def test_windows_without_a_common_pixel_are_refused(tmp_path: Path) -> None:
    path = broken.image(tmp_path / "a.exr", broken.noise(), origin=(900, 0), display=(0, 0, 9, 9))
    with pytest.raises(ValueError, match=r"a\.exr: the data window lies outside the display"):
        read_colour(path, MANY)


def test_positions_in_other_formats_are_ignored(tmp_path: Path) -> None:
    path = broken.image(tmp_path / "a.tif", broken.codes(), origin=(5, 5))
    assert read_colour(path, MANY).present is None


def test_too_many_pixels_are_refused_from_the_header(tmp_path: Path) -> None:
    path = broken.image(tmp_path / "a.png", broken.codes())
    with pytest.raises(ValueError, match=r"48 x 64 pixels: more than 0\.003 megapixels$"):
        read_colour(path, 3000)
    with pytest.raises(ValueError, match=r"48 x 64 pixels: more than 0\.003 megapixels$"):
        read_mask(path, 3000)


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_image_is_read_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = np.zeros((24, 16, 3), np.uint8)
    upright[:8, :8], upright[16:, 8:] = (255, 0, 0), (0, 0, 255)
    # How each orientation is stored: EXIF names the sides that the first row and column show.
    stored_as = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }
    path = tmp_path / f"a.{suffix}"
    stored = np.ascontiguousarray(stored_as[orientation])
    output = oiio.ImageOutput.create(str(path))
    spec = oiio.ImageSpec(stored.shape[1], stored.shape[0], 3, "uint8")
    spec.attribute("Orientation", orientation)
    assert output.open(str(path), spec)
    assert output.write_image(stored)
    output.close()
    read = read_colour(path, MANY).pixels
    assert read.flags.c_contiguous
    np.testing.assert_allclose(read, upright / 255, atol=0.4 if suffix == "jpg" else 1e-6)
    assert abs(read - upright / 255).mean() < 0.03
