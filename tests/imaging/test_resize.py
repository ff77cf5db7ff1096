"""Resizing: areas are averaged, masks never grow."""

import numpy as np
import pytest

from albedo_pipeline.imaging.resize import resize_image, resize_mask


def test_shrinking_averages_areas() -> None:
    image = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    small = resize_image(image, 2, 2)[..., 0]
    np.testing.assert_array_equal(small, [[2.5, 4.5], [10.5, 12.5]])


def test_a_constant_stays_constant() -> None:
    for side in (3, 5, 17):
        np.testing.assert_allclose(
            resize_image(np.full((8, 8, 3), 0.3, np.float32), side, side + 1), 0.3, rtol=1e-6
        )


@pytest.mark.parametrize(
    ("size", "target"),
    [((6, 10), (4, 7)), ((13, 9), (12, 9)), ((7, 5), (2, 3)), ((50, 9), (40, 8))],
)
def test_areas_may_hold_parts_of_pixels(size: tuple[int, int], target: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random((*size, 3), np.float32)
    # Each pixel is repeated `target` times, so that every area holds complete pixels.
    fine = np.kron(image.astype(np.float64), np.ones((*target, 1)))
    blocks = fine.reshape(target[0], size[0], target[1], size[1], 3)
    np.testing.assert_allclose(resize_image(image, *target), blocks.mean(axis=(1, 3)), rtol=1e-5)


@pytest.mark.parametrize(("size", "target"), [(130, 128), (48, 32), (9, 4), (1080, 1024)])
def test_an_invalid_pixel_invalidates_every_area_that_holds_a_part_of_it(
    size: int, target: int
) -> None:
    bad = size // 2
    valid = np.ones((size, 2), bool)
    valid[bad] = False
    small = resize_mask(valid, target, 2)[:, 0]
    ends = [(i * size, (i + 1) * size) for i in range(target)]
    touched = [i for i, (a, b) in enumerate(ends) if a < (bad + 1) * target and b > bad * target]
    assert np.flatnonzero(~small).tolist() == touched
    weight = resize_image((~valid).astype(np.float32)[..., None], target, 2)[:, 0, 0]
    assert np.flatnonzero(weight).tolist() == touched


def test_one_invalid_pixel_invalidates_its_block() -> None:
    valid = np.ones((8, 8), bool)
    valid[3, 3] = False
    small = resize_mask(valid, 4, 4)
    assert not small[1, 1]
    assert small.sum() == 15


def test_a_mask_never_grows() -> None:
    random = np.random.default_rng(0)
    for side in (5, 7, 16, 40):
        valid = random.random((16, 16)) > 0.1
        assert resize_mask(valid, side, side).mean() <= valid.mean() + 1e-9


def test_shrinking_by_whole_factors_averages_blocks() -> None:
    image = np.random.default_rng(0).random((12, 24, 3), np.float32)
    small = resize_image(image, 4, 4)
    expected = image.reshape(4, 3, 4, 6, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, expected, rtol=1e-5)


@pytest.mark.parametrize("size", [301, 333, 512])
def test_every_smaller_size_can_be_made(size: int) -> None:
    """Sizes of 1 modulo 16 once failed: their last block of weights is a single row."""
    line = np.random.default_rng(0).random((size, 1, 2), np.float32)
    ends = np.concatenate([np.zeros((1, 2)), np.cumsum(line[:, 0], axis=0, dtype=np.float64)])
    for target in range(1, 301):
        places = np.arange(target + 1) * size / target
        sums = np.stack([np.interp(places, np.arange(size + 1), e) for e in ends.T], axis=1)
        expected = np.diff(sums, axis=0) * target / size
        down = resize_image(line, target, 1)[:, 0]
        across = resize_image(line.transpose(1, 0, 2), 1, target)[0]
        np.testing.assert_allclose(down, expected, atol=1e-5)
        np.testing.assert_allclose(across, expected, atol=1e-5)
