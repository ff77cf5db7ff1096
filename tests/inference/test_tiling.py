"""Tiles: they cover the image, blend without change, and take the tone of the complete image."""

import numpy as np
import pytest

from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.inference.tiling import axis_tiles, blend, enlarged, tone_gain


@pytest.mark.parametrize("length", [1, 31, 32, 33, 47, 56, 57, 63, 64, 100, 101, 1000])
@pytest.mark.parametrize(("overlap", "cell"), [(0.25, 8), (0.5, 2), (0.1, 1)])
def test_tiles_cover_an_axis_and_their_weights_add_up_to_one(length, overlap, cell) -> None:
    axis = axis_tiles(length, 32, overlap, cell)
    total = np.zeros(length)
    for part, weights in zip(axis.parts, axis.weights, strict=True):
        assert part.start % cell == 0
        assert 0 < part.stop - part.start <= 32
        assert len(weights) == part.stop - part.start
        assert weights.min() > 0
        total[part] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert (axis.parts[0].start, axis.parts[-1].stop) == (0, length)
    shared = [a.stop - b.start for a, b in zip(axis.parts, axis.parts[1:], strict=False)]
    assert all(pixels >= overlap * 32 - cell for pixels in shared)


def test_tiles_of_an_image_blend_to_that_image() -> None:
    image = np.random.default_rng(0).random((75, 101, 3), np.float32)
    down, across = axis_tiles(75, 32, 0.5, 2), axis_tiles(101, 32, 0.25, 2)
    tiles = (image[rows, columns] for rows in down.parts for columns in across.parts)
    np.testing.assert_allclose(blend(down, across, 3, tiles), image, atol=1e-3)


def test_a_part_is_enlarged_like_the_complete_image() -> None:
    small = np.random.default_rng(0).random((7, 9, 3), np.float32)
    whole = resize_image(small, 40, 61)
    part = enlarged(small, 40, 61, slice(5, 20), slice(30, 61))
    np.testing.assert_allclose(part, whole[5:20, 30:61], atol=1e-5)


def test_the_gain_is_the_ratio_of_tones_within_limits_and_ignores_single_objects() -> None:
    tile = np.full((64, 64, 3), 0.3, np.float32)
    reference = tile * np.float32([0.8, 1.0, 1.5])
    reference[:16, :16] = 1  # an object that only one of the two predicts
    np.testing.assert_allclose(tone_gain(tile, reference), [0.8, 1, 1.5], atol=0.01)
    np.testing.assert_array_equal(tone_gain(tile, tile * 100), 2)
    np.testing.assert_array_equal(tone_gain(tile, tile * 0), 0.5)
