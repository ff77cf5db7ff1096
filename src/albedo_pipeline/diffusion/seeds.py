"""Counter-based random generators: a draw is a pure function of (seed, purpose, step, place).

Philox 4x64 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") has a key of two
64-bit words and a counter of four. The key is (seed, purpose). The upper half of the counter is
(place, step); the lower half counts the draws. So no generator state has to be stored, and the
draws do not depend on how a batch is divided.
"""

from enum import IntEnum

import numpy as np
import torch

from albedo_pipeline.diffusion.noise import gaussian


class Purpose(IntEnum):
    """What is drawn; each purpose has its own stream.

    The numbers decide the draws of stored checkpoints: never change or reuse one.
    """

    ORDER = 0
    FLIP = 1
    TIMESTEP = 2
    NOISE = 3
    SAMPLING = 4
    AUTOENCODER = 5
    BOOTSTRAP = 6
    GEOMETRY = 7
    LIGHT = 8
    PARTNER = 9
    DECODED_WINDOW = 10
    INTERPOLATION = 11


def generator(seed: int, purpose: Purpose, step: int, place: int = 0) -> np.random.Generator:
    """The generator for one place in one step.

    Args:
        seed: seed of the run, in [0, 2^64).
        purpose: what is drawn.
        step: optimiser step, or another number in [0, 2^64) that separates draws.
        place: place in the effective batch, or another number in [0, 2^64) that separates draws.
    """
    # Unsigned words, because NumPy would convert a list with a number above 2^63 to floats.
    key = np.array([seed, purpose], dtype=np.uint64)
    counter = np.array([0, 0, place, step], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def normal(seed: int, purpose: Purpose, step: int, place: int, shape: tuple) -> torch.Tensor:
    """Standard normal noise of `shape` from `generator`, float32 on the CPU."""
    return gaussian(generator(seed, purpose, step, place), shape)
