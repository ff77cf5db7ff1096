"""Errors of MAW by hand; the chromaticity error is compared with scikit-image."""

import math

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.metrics.maw import (
    ADOBE_TO_REC709,
    maw_chromaticity,
    maw_intensity,
    measured_colours,
    patch_means,
)

PREDICTED = np.array([[0.2, 0.2, 0.2], [0.5, 0.4, 0.3]])
MEASURED = np.array([[0.4, 0.3, 0.2], [0.5, 0.5, 0.5]])
PIXELS = np.array([1, 3])


def test_a_patch_is_the_mean_of_its_pixels() -> None:
    albedo = np.arange(18.0).reshape(2, 3, 3)
    labels = np.array([[0, 5, 2], [2, 0, 2]])
    means, pixels = patch_means(albedo, labels)
    np.testing.assert_allclose(
        means, [(albedo[0, 2] + albedo[1, 0] + albedo[1, 2]) / 3, albedo[0, 1]]
    )
    assert pixels.tolist() == [3, 1]


def test_intensity_by_hand() -> None:
    """Greys 0.2 and 0.4 for 0.3 and 0.5, weights 1 and 3: s = 0.66 / 0.52."""
    scale = 0.66 / 0.52
    expected = ((0.2 * scale - 0.3) ** 2 + 3 * (0.4 * scale - 0.5) ** 2) / 4
    assert maw_intensity(PREDICTED, MEASURED, PIXELS) == pytest.approx(expected, abs=1e-12)


def test_intensity_ignores_the_scale_of_the_image() -> None:
    assert maw_intensity(0.3 * MEASURED, MEASURED, PIXELS) == pytest.approx(0, abs=1e-15)


def test_chromaticity_equals_scikit_image_on_the_scaled_patches() -> None:
    scaled = PREDICTED * np.array([[1.5], [1.25]])
    labs = [rgb2lab(encode_srgb(colours)) for colours in (scaled, MEASURED)]
    expected = np.average(deltaE_ciede2000(*labs), weights=PIXELS)
    assert maw_chromaticity(PREDICTED, MEASURED, PIXELS) == pytest.approx(expected, abs=0.01)


def test_chromaticity_ignores_the_scale_of_each_patch() -> None:
    scales = np.array([[0.3], [0.9]])
    assert maw_chromaticity(scales * MEASURED, MEASURED, PIXELS) == pytest.approx(0, abs=1e-6)


def test_a_black_prediction_has_finite_errors() -> None:
    assert maw_intensity(0 * MEASURED, MEASURED, PIXELS) == pytest.approx((0.09 + 3 * 0.25) / 4)
    assert maw_chromaticity(0 * MEASURED, MEASURED, PIXELS) > 20


def test_without_a_patch_the_errors_are_nan() -> None:
    means, pixels = patch_means(np.ones((2, 2, 3)), np.zeros((2, 2), int))
    assert math.isnan(maw_intensity(means, means, pixels))
    assert math.isnan(maw_chromaticity(means, means, pixels))


def to_xyz(primaries) -> np.ndarray:
    """Matrix from linear RGB to XYZ, from chromaticities of the primaries and white point D65."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in (*primaries, (0.3127, 0.3290))]).T
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])


def test_the_adobe_matrix_follows_from_its_primaries() -> None:
    adobe = to_xyz([(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)])
    rec709 = to_xyz([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)])
    np.testing.assert_allclose(np.linalg.inv(rec709) @ adobe, ADOBE_TO_REC709, atol=1e-5)


def test_measured_colours_are_clipped_to_the_range() -> None:
    colours = measured_colours(np.array([[0.0, 1, 0], [0.5, 0.5, 0.5]]))
    np.testing.assert_allclose(colours, [[0, 1, 0], [0.5, 0.5, 0.5]], atol=1e-12)
