"""Counter-based randomness: one independent stream for each scene, view, light and attempt.

Philox 4x64 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): seed and scene are
the key, view and attempt the upper half of the counter, the draws count in the lower half.
"""

import numpy as np


def scene_generator(seed: int, scene: int, attempt: int) -> np.random.Generator:
    """What all views of a scene share: objects, materials, lights."""
    return _generator(seed, scene, attempt, 0)


def view_generator(seed: int, scene: int, attempt: int, view: int) -> np.random.Generator:
    """What one view has for itself: the camera and the light paths."""
    return _generator(seed, scene, attempt, view + 1)


def light_generator(
    seed: int, scene: int, attempt: int, view: int, light: int
) -> np.random.Generator:
    """What one further light of a view has for itself: the lights and their paths."""
    return _generator(seed, scene, attempt, (light << 32) + view + 1)


def _generator(seed: int, scene: int, attempt: int, place: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, scene], counter=[0, 0, attempt, place]))
