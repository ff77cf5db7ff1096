"""Multi-resolution noise: its variance, the effect of its strength, and the sizes of its levels."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from albedo_pipeline.diffusion.noise import (
    STRATEGIES,
    annealed,
    gaussian,
    level_sizes,
    multi_resolution,
)

SHAPE = (4, 32, 32)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("strength", [0.0, 0.3, 0.9, 1.0])
def test_every_sample_has_unit_variance(strategy: str, strength: float) -> None:
    for seed in range(5):
        noise = multi_resolution(random(seed), SHAPE, strength, strategy)
        assert noise.std(correction=0).item() == pytest.approx(1, rel=1e-5)
        assert noise.shape == SHAPE


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_at_strength_zero_it_is_white(strategy: str) -> None:
    white = gaussian(random(), SHAPE)
    noise = multi_resolution(random(), SHAPE, 0.0, strategy)
    assert torch.allclose(noise, white / white.std(correction=0), atol=1e-6)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_more_strength_gives_more_low_frequencies(strategy: str) -> None:
    def low_frequency_variance(strength: float) -> float:
        noises = [multi_resolution(random(s), SHAPE, strength, strategy) for s in range(20)]
        return float(torch.stack(noises).unfold(2, 8, 8).unfold(3, 8, 8).mean((-1, -2)).var())

    variances = [low_frequency_variance(strength) for strength in (0.0, 0.5, 0.9)]
    assert variances[0] < variances[1] < variances[2]


def test_sizes_by_hand() -> None:
    assert level_sizes(random(), 32, 16, "every_layer") == [(16, 8), (8, 4), (4, 2), (2, 1)]
    assert level_sizes(random(), 64, 64, "power_of_two") == [(32, 32), (8, 8), (1, 1)]
    for strategy in ("original", "random_step"):
        sizes = level_sizes(random(), 64, 64, strategy)
        assert 64 / 4 - 1 <= sizes[0][0] <= 64 / 2
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[-1] == (1, 1)


def test_levels_may_be_counted_from_0() -> None:
    """As published: the first level of `original` has the image's size and the weight 1."""
    assert level_sizes(random(), 32, 16, "original", first_level=0)[0] == (32, 16)
    assert level_sizes(random(), 64, 64, "power_of_two", first_level=0) == [
        (64, 64),
        (32, 32),
        (8, 8),
        (1, 1),
    ]


def test_from_level_0_the_first_level_counts_at_any_strength() -> None:
    draws = random()
    white = gaussian(draws, SHAPE)
    coarse = gaussian(draws, (1, 4, 16, 16))
    both = white + interpolate(coarse, SHAPE[1:], mode="bilinear", align_corners=False)[0]
    noise = multi_resolution(random(), SHAPE, 0.0, "every_layer", first_level=0)
    assert torch.allclose(noise, both / both.std(correction=0), atol=1e-6)


def test_annealed_strength_is_proportional_to_the_timestep() -> None:
    assert [annealed(0.8, time) for time in (0.0, 0.5)] == [0.0, 0.4]
