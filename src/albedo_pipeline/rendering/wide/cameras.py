"""Cameras of the wide world: near and far, high and low, wide and narrow, slightly rolled."""

import numpy as np

from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.lights import unit_direction

FIELDS_OF_VIEW = (20.0, 80.0)
"""Range of the field of view, degrees."""
ROLL = 0.07
"""Standard deviation of the rotation about the viewing direction, radians."""


def draw_field_of_view(rng: np.random.Generator) -> float:
    """A field of view, degrees."""
    return float(rng.uniform(*FIELDS_OF_VIEW))


def look(
    rng: np.random.Generator, origin: np.ndarray, target: np.ndarray, field_of_view: float
) -> Camera:
    """A camera at `origin` that looks at `target`, with a small random roll."""
    forward = (target - origin) / np.linalg.norm(target - origin)
    side = np.cross(forward, [0.0, 0.0, 1.0])
    side = side / np.linalg.norm(side) if np.linalg.norm(side) > 1e-3 else np.array([1.0, 0, 0])
    roll = ROLL * rng.normal()
    up = np.cos(roll) * np.cross(side, forward) + np.sin(roll) * side
    return Camera(origin, target, field_of_view, (float(up[0]), float(up[1]), float(up[2])))


def draw_orbit(
    rng: np.random.Generator,
    centre: np.ndarray,
    radius: float,
    elevations: tuple[float, float],
    sizes: tuple[float, float],
    lowest: float = -np.inf,
) -> Camera:
    """A camera around a sphere that looks at a point in it.

    Args:
        rng: source of all random draws.
        centre: centre of the sphere [3].
        radius: radius of the sphere.
        elevations: range of the camera's elevation above the horizon, radians.
        sizes: range of the sphere's size in the image; 1 fills its width.
        lowest: smallest height of the camera.
    """
    angle = draw_field_of_view(rng)
    size = np.exp(rng.uniform(*np.log(sizes)))
    distance = radius / np.sin(np.radians(angle / 2)) / size
    target = centre + rng.uniform(-0.4, 0.4, 3) * radius
    origin = target + distance * unit_direction(
        rng.uniform(-np.pi, np.pi), rng.uniform(*elevations)
    )
    origin[2] = max(origin[2], lowest)
    return look(rng, origin, target, angle)
