"""Resizing: areas average, masks shrink."""

import numpy as np
import torch

from albedo_pipeline.imaging.masks import latent_mask
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


def test_one_invalid_pixel_invalidates_the_whole_cell() -> None:
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


def test_the_quick_way_for_whole_factors_is_the_general_one() -> None:
    image = np.random.default_rng(0).random((12, 24, 3), np.float32)
    small = resize_image(image, 4, 4)
    expected = image.reshape(4, 3, 4, 6, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, expected, rtol=1e-5)


def test_latent_cell_is_valid_only_if_all_its_pixels_are() -> None:
    valid = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    valid[0, 0, 5, 2] = False
    cells = latent_mask(valid, 4)
    assert cells.tolist() == [[[[True, True], [False, True]]]]
