"""Cameras that look at the objects from the open side of the scene."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.rendering.scene import Scene

FIELD_OF_VIEW = 36.0
"""Angle that the camera sees across the width of the image, degrees."""


@dataclass(frozen=True)
class Camera:
    """A perspective camera, z up."""

    origin: np.ndarray  # [3]
    target: np.ndarray  # [3]


def draw_camera(rng: np.random.Generator, scene: Scene) -> Camera:
    """A random camera outside the sphere around the objects, which roughly fills the image."""
    azimuth = scene.azimuth + scene.camera_spread * rng.uniform(-1, 1)
    return _camera(
        scene,
        azimuth,
        elevation=rng.uniform(0.3, 0.95),
        distance=rng.uniform(0.8, 1.1),
        shift=0.15 * scene.radius * rng.uniform(-1, 1, 3),
    )


def overview_camera(scene: Scene) -> Camera:
    """A fixed camera that sees all objects; its image decides whether the scene is used."""
    return _camera(scene, scene.azimuth, elevation=0.6, distance=1.0, shift=np.zeros(3))


def _camera(
    scene: Scene, azimuth: float, elevation: float, distance: float, shift: np.ndarray
) -> Camera:
    """A camera whose image the sphere around the objects exactly fills if `distance` is 1."""
    toward_camera = np.array(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )
    target = scene.centre + shift
    return Camera(
        target + toward_camera * distance * scene.radius / np.sin(np.radians(FIELD_OF_VIEW / 2)),
        target,
    )
