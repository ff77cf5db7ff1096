"""Checks of a pair's pixels: counts, extremes and brightness."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colour import luminance
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.pixel_checks import PixelChecks, check_pixels


def check(beauty: np.ndarray, albedo: np.ndarray, space: str = "linear") -> PixelChecks:
    """Checks of a beauty in `space` and a linear albedo."""
    images = Image(beauty, space, "float"), Image(albedo, "linear", "float")
    return check_pixels(*images, luminance)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_clean_pixels_and_others_give_the_same_extremes_and_brightness(dtype: type) -> None:
    """A clean pair is checked by the bits of its floats, any other pair pixel by pixel."""
    beauty, albedo = np.random.default_rng(0).random((2, 8, 8, 3)).astype(dtype)
    beauty[7, 7], albedo[7, 7] = 0.5, 0.5  # not an extreme
    clean = check(beauty, albedo)
    albedo[7, 7, 0] = np.nan
    albedo[0, 0] = 0  # an unusable pixel counts as 0
    beauty[0, 0] = 0
    other = check(beauty, albedo)
    assert clean.usable.all()
    assert np.argwhere(~other.usable).tolist() == [[7, 7]]
    assert clean.maximum == other.maximum
    assert clean.maximum == {"beauty": float(beauty.max()), "albedo": float(np.nanmax(albedo))}
    assert other.minimum == {"beauty": 0, "albedo": 0}
    expected = luminance(beauty.astype(np.float32))
    np.testing.assert_array_equal(other.brightness[:7], expected[:7])
    np.testing.assert_array_equal(clean.brightness[1:7], expected[1:7])


def test_nonfinite_and_negative_pixels_are_counted() -> None:
    beauty, albedo = np.full((2, 8, 8, 3), 0.25, np.float32)
    beauty[0, 0], beauty[0, 1, 2], albedo[2, 2, 0] = np.nan, np.inf, -0.5
    checks = check(beauty, albedo)
    assert (checks.nonfinite, checks.negative, checks.out_of_gamut) == (2, 1, 0)
    assert np.argwhere(~checks.usable).tolist() == [[0, 0], [0, 1], [2, 2]]
    assert (checks.minimum["albedo"], checks.maximum["beauty"]) == (0, 0.25)


def test_colours_outside_rec709_are_counted_and_usable() -> None:
    beauty = np.full((8, 8, 3), 0.5, np.float32)
    beauty[:2] = (0, 0.5, 0)
    checks = check(beauty, np.full((8, 8, 3), 0.5, np.float32), "acescg")
    assert checks.out_of_gamut == 16
    assert checks.usable.all()
