"""The noise that latents are mixed with: white, or of many resolutions at once.

Coarse noise hides what a network could otherwise read from a noisy latent's low frequencies
(Whitaker 2023, "Multi-resolution noise for diffusion model training"; Ke et al. 2024, sec. 3.3).
"""

import math

import numpy as np
import torch
from torch.nn.functional import interpolate

STRATEGIES = ("original", "every_layer", "power_of_two", "random_step")
_MOST_LEVELS = 10


def gaussian(random: np.random.Generator, shape: tuple[int, ...]) -> torch.Tensor:
    """Standard normal float32 of `shape`, on the CPU."""
    return torch.from_numpy(random.standard_normal(shape, dtype=np.float32))


def multi_resolution(
    random: np.random.Generator, shape: tuple[int, int, int], strength: float, strategy: str
) -> torch.Tensor:
    """Noise of one sample, float32 [C, h, w]: white noise plus coarser maps, enlarged
    bilinearly and weighted by `strength` to the power of their level; scaled to unit variance.

    At strength 0 it is white.

    Args:
        strength: weight of a level relative to the one before it, in [0, 1].
        strategy: which sizes the levels have; see `level_sizes`.
    """
    total = gaussian(random, shape)
    for level, (height, width) in enumerate(level_sizes(random, *shape[1:], strategy), start=1):
        coarse = gaussian(random, (1, shape[0], height, width))
        enlarged = interpolate(coarse, shape[1:], mode="bilinear", align_corners=False)[0]
        total += strength**level * enlarged
    return total / total.std(correction=0)  # of this sample alone, not of its batch


def level_sizes(
    random: np.random.Generator, height: int, width: int, strategy: str
) -> list[tuple[int, int]]:
    """Sizes of the coarser levels, from fine to coarse.

    With r drawn from [2, 4) for each level i = 1, 2, …: `original` divides by r^i, `random_step`
    by r; `power_of_two` divides by 2^i, `every_layer` by 2. All divide the level before, and end
    with the first that is one cell high or wide. (Where an implementation counts i from 0, its
    first level has full weight at any strength, and annealing never ends in white noise.)
    """
    sizes: list[tuple[int, int]] = []
    for level in range(1, _MOST_LEVELS + 1):
        if min(height, width) == 1:
            break
        ratio = random.uniform(2, 4) if strategy in ("original", "random_step") else 2.0
        divisor = ratio**level if strategy in ("original", "power_of_two") else ratio
        height, width = (max(1, math.floor(side / divisor)) for side in (height, width))
        sizes.append((height, width))
    return sizes


def annealed(strength: float, time: float) -> float:
    """Strength that falls with the timestep, `time` = t / T: s t / T, so that almost clean
    latents get white noise (Ke et al. 2024, sec. 3.3)."""
    return strength * time
