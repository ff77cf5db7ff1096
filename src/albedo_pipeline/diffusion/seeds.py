"""Counter-based randomness: every draw is a pure function of (seed, purpose, step, place).

Philox 4x64 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): the key holds
seed and purpose, the upper half of the counter holds step and place, the lower half counts the
draws. So no state has to be stored, and the draws do not depend on how work is split.
"""

from enum import IntEnum

import numpy as np
import torch

from albedo_pipeline.diffusion.noise import gaussian


class Purpose(IntEnum):
    """What is drawn; one stream each. The numbers are part of the contract: never reuse one."""

    ORDER = 0
    FLIP = 1
    TIMESTEP = 2
    NOISE = 3
    SAMPLING = 4
    AUTOENCODER = 5
    BOOTSTRAP = 6


def generator(seed: int, purpose: Purpose, step: int, place: int = 0) -> np.random.Generator:
    """The generator of one place in one step."""
    # As unsigned words: a list with a number above 2^63 would go through floats and lose bits.
    key = np.array([seed, purpose], dtype=np.uint64)
    counter = np.array([0, 0, place, step], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def normal(seed: int, purpose: Purpose, step: int, place: int, shape: tuple) -> torch.Tensor:
    """Standard normal float32 tensor of `shape`, on the CPU."""
    return gaussian(generator(seed, purpose, step, place), shape)
