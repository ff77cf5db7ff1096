"""The shift between beauty and albedo."""

import numpy as np
import pytest

from albedo_pipeline.imaging.alignment import estimated_shift
from tests.support.pairs import tiled_scene


@pytest.mark.parametrize("shift", [(0, 0), (5, 0), (0, -7), (-4, 3)])
def test_a_shift_is_found(shift: tuple[int, int]) -> None:
    for seed in range(3):
        beauty, albedo, usable = tiled_scene(seed=seed)
        moved = np.roll(albedo, (shift[1], shift[0]), (0, 1))
        assert estimated_shift(beauty, moved, usable) == shift


def test_no_shift_is_found_without_common_edges() -> None:
    flat = np.full((64, 64), 0.5, np.float32)
    noise = np.random.default_rng(0).random((2, 64, 64)).astype(np.float32)
    usable = np.ones((64, 64), bool)
    assert estimated_shift(flat, flat, usable) == (0, 0)
    assert estimated_shift(noise[0], noise[1], usable) == (0, 0)
    assert estimated_shift(noise[0], noise[1], ~usable) == (0, 0)


def test_a_masked_border_is_not_an_edge() -> None:
    beauty, albedo, usable = tiled_scene()
    usable[:, :40] = False
    beauty[:, :40] = 0
    assert estimated_shift(beauty, albedo, usable) == (0, 0)
