"""Cameras that look at the objects from the open side of the scene."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.rendering.scene import Scene

FIELD_OF_VIEW = 36.0
"""Degrees, across the picture."""


@dataclass(frozen=True)
class Camera:
    """A perspective camera, z up."""

    origin: np.ndarray  # [3]
    target: np.ndarray  # [3]


def draw_camera(rng: np.random.Generator, scene: Scene) -> Camera:
    """Outside the objects' enclosing sphere, which about fills the picture."""
    azimuth = scene.azimuth + scene.spread * rng.uniform(-1, 1)
    return _camera(
        scene,
        azimuth,
        elevation=rng.uniform(0.3, 0.95),
        distance=rng.uniform(0.8, 1.1),
        shift=0.15 * scene.radius * rng.uniform(-1, 1, 3),
    )


def overview(scene: Scene) -> Camera:
    """A fixed camera that sees the whole scene, by which the scene itself is judged."""
    return _camera(scene, scene.azimuth, elevation=0.6, distance=1.0, shift=np.zeros(3))


def _camera(
    scene: Scene, azimuth: float, elevation: float, distance: float, shift: np.ndarray
) -> Camera:
    """`distance` 1 just encloses the objects' sphere."""
    toward = np.array(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )
    target = scene.focus + shift
    return Camera(
        target + toward * distance * scene.radius / np.sin(np.radians(FIELD_OF_VIEW / 2)), target
    )
