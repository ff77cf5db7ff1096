"""Channels and parts of image files, chosen by `read_colour` and `read_mask`."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.imaging.io.read import read_colour, read_mask
from tests.support import broken_images as broken

MANY = 10**8


def test_channels_are_chosen_by_name(tmp_path: Path) -> None:
    pixels = broken.noise(channels=5)
    pixels[..., 3] = 1
    path = broken.image(tmp_path / "a.exr", pixels, ("b", "Z", "g", "A", "r"))
    read = read_colour(path, MANY)
    np.testing.assert_array_equal(read.pixels, pixels[..., [4, 2, 0]])
    assert read.present is None


def test_colours_are_found_in_tiles_and_parts(tmp_path: Path) -> None:
    pixels = broken.noise(40, 33, 4)
    tiled = broken.image(tmp_path / "t.exr", pixels[..., :3], tile=16)
    parts = {"depth": (pixels[..., 3:], ("Z",)), "rgb": (pixels[..., :3], ("R", "G", "B"))}
    for path in (tiled, broken.multi_part(tmp_path / "m.exr", parts)):
        np.testing.assert_array_equal(read_colour(path, MANY).pixels, pixels[..., :3])


def test_two_parts_with_colour_are_refused_unless_one_is_named(tmp_path: Path) -> None:
    pixels = broken.noise(channels=6)
    parts = {"beauty": (pixels[..., :3], tuple("RGB")), "albedo": (pixels[..., 3:], tuple("RGB"))}
    path = broken.multi_part(tmp_path / "m.exr", parts)
    with pytest.raises(
        ValueError, match=r"albedo: 2 parts hold red, green and blue, expected one$"
    ):
        read_colour(path, MANY)
    np.testing.assert_array_equal(read_colour(path, MANY, "albedo").pixels, pixels[..., 3:])


@pytest.mark.parametrize(("channels", "expected"), [("Y", 1), ("YA", 1), ("RGB", 3), ("RGBA", 3)])
def test_masks_have_one_to_four_channels(tmp_path: Path, channels: str, expected: int) -> None:
    pixels = np.full((4, 4, len(channels)), 255, np.uint8)
    pixels[..., expected:] = 0  # a white mask stays white, whatever its alpha
    mask = read_mask(broken.image(tmp_path / "m.png", pixels, tuple(channels)), MANY)
    assert (mask.shape, mask.dtype, mask.min()) == ((4, 4, expected), np.float32, 1)


def test_a_mask_of_many_channels_is_refused_but_one_can_be_named(tmp_path: Path) -> None:
    path = broken.odd_channels(tmp_path / "m.exr")
    with pytest.raises(ValueError, match=r"expected a mask with one to four$"):
        read_mask(path, MANY)
    np.testing.assert_array_equal(read_mask(path, MANY, "c4"), broken.noise(channels=10)[..., 4:5])
    with pytest.raises(ValueError, match=r"expected one c11$"):
        read_mask(path, MANY, "c11")
