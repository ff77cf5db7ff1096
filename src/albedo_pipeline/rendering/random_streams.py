"""Counter-based random generators: one independent stream per scene, view, light and attempt.

Philox 4x64 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") has a key of two
64-bit words and a counter of four. The key is (seed, scene). The upper half of the counter is
(attempt, stream); the lower half counts the draws. The stream number of a scene is 0, that of a
view is view + 1, and that of a further light of a view is light * 2^32 + view + 1.
"""

import numpy as np


def scene_generator(seed: int, scene: int, attempt: int) -> np.random.Generator:
    """Generator of what all views of a scene share: objects, materials and lights."""
    return _generator(seed, scene, attempt, 0)


def view_generator(seed: int, scene: int, attempt: int, view: int) -> np.random.Generator:
    """Generator of what belongs to one view: the camera and the light paths."""
    return _generator(seed, scene, attempt, view + 1)


def light_generator(
    seed: int, scene: int, attempt: int, view: int, light: int
) -> np.random.Generator:
    """Generator of what belongs to one further light of a view: the lights and the light paths."""
    return _generator(seed, scene, attempt, (light << 32) + view + 1)


def _generator(seed: int, scene: int, attempt: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, scene], counter=[0, 0, attempt, stream]))
