"""Augmentation keeps the albedo true: geometry moves all images alike, light moves beauty alone."""

import numpy as np
import pytest

from albedo_pipeline.imaging.augmentation import (
    Geometry,
    draw_geometry,
    mix_lights,
    place,
    relight,
)

IMAGE = np.random.default_rng(0).random((3, 12, 16), dtype=np.float32)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_window_of_the_same_size_is_copied() -> None:
    moved = place(IMAGE, Geometry(2, 3, 8, 8, quarter_turns=0, flipped=False))
    np.testing.assert_array_equal(moved, IMAGE[:, 2:10, 3:11])


def test_the_turn_comes_before_the_flip() -> None:
    part = IMAGE[:, :12, :12]
    moved = place(IMAGE, Geometry(0, 0, 12, 12, quarter_turns=1, flipped=True))
    np.testing.assert_array_equal(moved, np.rot90(part, axes=(1, 2))[..., ::-1])


def test_shrinking_keeps_the_mean() -> None:
    moved = place(IMAGE, Geometry(0, 0, 12, 6, quarter_turns=0, flipped=False))
    assert moved.shape == (3, 6, 6)
    assert moved.mean() == pytest.approx(IMAGE[:, :, :12].mean(), abs=0.01)


@pytest.mark.parametrize("side", [5, 6, 12, 17])
def test_a_resized_mask_is_valid_only_far_from_masked_pixels(side: int) -> None:
    mask = np.ones((1, 12, 12), np.float32)
    mask[0, :, 6:] = 0
    moved = place(mask, Geometry(0, 0, 12, side, quarter_turns=0, flipped=False))
    assert (moved[0, :, 0] > 1 - 1e-4).all()
    assert (moved[0, :, side // 2 :] < 1 - 1e-4).all()


def test_windows_lie_in_the_image_and_take_all_sizes() -> None:
    drawn = [
        draw_geometry(random(seed), 20, 30, 10, (0.5, 4.0), turns=True, flipped=False)
        for seed in range(300)
    ]
    assert all(g.top + g.window <= 20 and g.left + g.window <= 30 for g in drawn)
    assert {g.quarter_turns for g in drawn} == {0, 1, 2, 3}
    assert min(g.window for g in drawn) == 5
    assert max(g.window for g in drawn) == 20  # the shorter side


def test_light_multiplies_each_channel() -> None:
    dark = IMAGE / 8
    lit = relight(random(), dark, exposure=0.3, light_colour=0.3, sensor_noise=0)
    gains = (lit / dark).reshape(3, -1)
    assert np.ptp(gains, axis=1).max() < 1e-5
    assert len(np.unique(gains[:, 0].round(3))) == 3
    np.testing.assert_array_equal(relight(random(), IMAGE, 0, 0, 0), IMAGE)


def test_values_above_1_are_clipped() -> None:
    assert relight(random(), IMAGE + 1, 0, 0, 0).max() == 1


def test_noise_grows_with_the_root_of_the_light() -> None:
    deviations = []
    for level in (0.04, 0.16):
        flat = np.full((3, 64, 64), level, np.float32)
        deviations.append(relight(random(3), flat, 0, 0, sensor_noise=0.05).std())
    assert deviations[1] / deviations[0] == pytest.approx(2, rel=0.05)


def test_lights_add_up() -> None:
    other = IMAGE[::-1]
    np.testing.assert_array_equal(mix_lights(IMAGE, other, 0.0), IMAGE)
    np.testing.assert_allclose(mix_lights(IMAGE, other, 0.25), 0.75 * IMAGE + 0.25 * other)
