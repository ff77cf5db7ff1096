"""Cameras that look at the objects from the open side of the stage."""

from dataclasses import dataclass, replace

import numpy as np

FIELD_OF_VIEW = 36.0
"""Angle that a camera of `tabletop` sees across the width of the image, degrees."""


@dataclass(frozen=True)
class Camera:
    """A perspective camera, z up."""

    origin: np.ndarray  # [3]
    target: np.ndarray  # [3]
    field_of_view: float = FIELD_OF_VIEW  # across the width of the image, degrees
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)  # points up in the image


@dataclass(frozen=True)
class Stage:
    """The objects of a scene, as far as cameras need to know them."""

    centre: np.ndarray
    """Centre [3] of the sphere that encloses the objects."""
    radius: float
    """Radius of the sphere that encloses the objects, scene units."""
    azimuth: float
    """Direction of the open side, radians from +x."""
    camera_spread: float
    """How far to both sides of `azimuth` cameras may stand, radians."""


def draw_camera(rng: np.random.Generator, stage: Stage) -> Camera:
    """A random camera outside the sphere around the objects, which roughly fills the image."""
    azimuth = stage.azimuth + stage.camera_spread * rng.uniform(-1, 1)
    return _camera(
        stage,
        azimuth,
        elevation=rng.uniform(0.3, 0.95),
        distance=rng.uniform(0.8, 1.1),
        shift=0.15 * stage.radius * rng.uniform(-1, 1, 3),
    )


def overview_camera(stage: Stage) -> Camera:
    """A fixed camera that sees all objects; its image decides whether the scene is used."""
    return _camera(stage, stage.azimuth, elevation=0.6, distance=1.0, shift=np.zeros(3))


def orbited(camera: Camera, radians: float) -> Camera:
    """The camera turned around the upright axis through its target, as seen from above."""
    cos, sin = np.cos(radians), np.sin(radians)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return replace(camera, origin=camera.target + turn @ (camera.origin - camera.target))


def _camera(
    stage: Stage, azimuth: float, elevation: float, distance: float, shift: np.ndarray
) -> Camera:
    """A camera whose image the sphere around the objects exactly fills if `distance` is 1."""
    toward_camera = np.array(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )
    target = stage.centre + shift
    return Camera(
        target + toward_camera * distance * stage.radius / np.sin(np.radians(FIELD_OF_VIEW / 2)),
        target,
    )
