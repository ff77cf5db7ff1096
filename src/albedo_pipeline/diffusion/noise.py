"""The noise that is added to latents: white, or a sum of several resolutions.

White noise leaves the low frequencies of a noisy latent visible, so a network could read the clean
latent from them; coarse noise hides them (Whitaker 2023, "Multi-resolution noise for diffusion
model training"; Ke et al. 2024, sec. 3.3).
"""

import math

import numpy as np
import torch
from torch.nn.functional import interpolate

STRATEGIES = ("original", "every_layer", "power_of_two", "random_step")
_MAX_LEVELS = 10


def gaussian(random: np.random.Generator, shape: tuple[int, ...]) -> torch.Tensor:
    """Standard normal noise of `shape`, float32 on the CPU."""
    return torch.from_numpy(random.standard_normal(shape, dtype=np.float32))


def multi_resolution(
    random: np.random.Generator,
    shape: tuple[int, int, int],
    strength: float,
    strategy: str,
    first_level: int = 1,
) -> torch.Tensor:
    """Multi-resolution noise of one sample, float32 [C, h, w], with unit variance.

    It is white noise plus noise of level i = `first_level`, `first_level` + 1, ..., enlarged
    bilinearly and multiplied by `strength`^i.

    Args:
        random: source of all random draws.
        shape: [C, h, w] of the noise.
        strength: weight of a level relative to the finer one before it, in [0, 1].
        strategy: one of STRATEGIES; sets the sizes of the levels, see `level_sizes`.
        first_level: 0 or 1. With 1, the noise is white at strength 0. With 0, as published, the
            first level has the weight 1 at any strength.
    """
    total = gaussian(random, shape)
    sizes = level_sizes(random, *shape[1:], strategy, first_level)
    for level, (height, width) in enumerate(sizes, start=first_level):
        coarse = gaussian(random, (1, shape[0], height, width))
        enlarged = interpolate(coarse, shape[1:], mode="bilinear", align_corners=False)[0]
        total += strength**level * enlarged
    return total / total.std(correction=0)  # the variance of this sample, not of its batch


def level_sizes(
    random: np.random.Generator, height: int, width: int, strategy: str, first_level: int = 1
) -> list[tuple[int, int]]:
    """Height and width of the levels, from fine to coarse.

    Each level i = `first_level`, `first_level` + 1, ... is the level before it divided by: r^i for
    `original`, r for `random_step`, 2^i for `power_of_two`, 2 for `every_layer`; r is drawn from
    [2, 4) for each level. The last level is the first one that is one cell high or wide.
    """
    sizes: list[tuple[int, int]] = []
    for level in range(first_level, first_level + _MAX_LEVELS):
        if min(height, width) == 1:
            break
        ratio = random.uniform(2, 4) if strategy in ("original", "random_step") else 2.0
        divisor = ratio**level if strategy in ("original", "power_of_two") else ratio
        height, width = (max(1, math.floor(side / divisor)) for side in (height, width))
        sizes.append((height, width))
    return sizes


def annealed(strength: float, time: float) -> float:
    """Annealed strength s t / T of multi-resolution noise, with `time` = t / T.

    It falls to 0 with the timestep, so that almost clean latents get white noise (Ke et al. 2024,
    sec. 3.3).
    """
    return strength * time
