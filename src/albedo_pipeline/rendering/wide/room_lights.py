"""Lights of rooms: sun and sky through windows, bright windows, ceiling panels and lamps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from albedo_pipeline.rendering.lights import constant, rgb, unit_direction
from albedo_pipeline.rendering.meshes import Mesh, quad
from albedo_pipeline.rendering.wide.lights import (
    black_body,
    bulb,
    draw_irradiance,
    draw_light_colour,
)


@dataclass(frozen=True)
class RoomWindow:
    """An opening in a wall."""

    outside: np.ndarray
    """Corners [4, 3] of the opening, moved outward by half a metre."""
    outward: np.ndarray
    """Direction from the room through the window [3]."""


def draw_room_lights(rng: np.random.Generator, size: np.ndarray, windows: list[RoomWindow]) -> dict:
    """Daylight through the windows, lamps, or both.

    Args:
        rng: source of all random draws.
        size: width, depth and height of the room, metres.
        windows: the openings; may be empty.
    """
    irradiance = draw_irradiance(rng)
    # Every scene needs an environment, so that the mask can leave out what shows it.
    dim = constant(black_body(6500.0) * irradiance * 0.02) | {"sampling_weight": 0.0}
    lights: dict[str, dict] = {"sky": dim}
    day = bool(windows) and rng.random() < 0.7
    if day:
        lights |= _daylight(rng, windows, irradiance)
    if not day or rng.random() < 0.3:
        for index in range(rng.integers(1, 4)):
            strength = draw_light_colour(rng) * irradiance * rng.uniform(0.3, 0.8)
            lights[f"lamp_{index}"] = _lamp(rng, size, strength)
    if rng.random() < 0.8:
        radiance = draw_light_colour(rng) * irradiance * rng.uniform(0.02, 0.15)
        lights["ceiling"] = _downward(size[:2] / 2, [0, 0, size[2] - 0.01], radiance)
    return lights


def _downward(half: np.ndarray, centre: ArrayLike, radiance: np.ndarray) -> dict:
    """A rectangle of half sizes [2] that lights what is below it."""
    x, y = half
    corners = [(-x, y), (x, y), (x, -y), (-x, -y)]  # the front faces down
    mesh = quad(*(np.add(centre, [a, b, 0]) for a, b in corners))
    return _area_light(mesh, radiance)


def _daylight(rng: np.random.Generator, windows: list[RoomWindow], irradiance: float) -> dict:
    """Sun and sky through open windows, or windows that glow as if behind curtains."""
    lights = {}
    tint = black_body(rng.uniform(5500, 10000))
    if rng.random() < 0.65:
        outward = windows[rng.integers(len(windows))].outward
        azimuth = np.arctan2(outward[1], outward[0]) + rng.uniform(-1.0, 1.0)
        toward = unit_direction(azimuth, rng.uniform(0.2, 0.95))
        sun = black_body(rng.uniform(2500, 6500)) * irradiance * rng.uniform(1.5, 4.0)
        lights["sun"] = {
            "type": "directional",
            "direction": [float(-value) for value in toward],
            "irradiance": rgb(sun),
        }
        sunny = [window for window in windows if window.outward @ toward > 0.2]
        for index, window in enumerate(sunny):
            radiance = tint * irradiance * rng.uniform(0.3, 1.2)
            lights[f"sky_{index}"] = _area_light(_bright_ground(window, toward), radiance)
        return lights
    for index, window in enumerate(windows):
        mesh = quad(*window.outside)
        if (mesh.normals[0] @ window.outward) > 0:  # the front has to face the room
            mesh = quad(*window.outside[::-1])
        radiance = tint * irradiance * rng.uniform(0.5, 1.5)
        lights[f"window_{index}"] = _area_light(mesh, radiance)
    return lights


def _bright_ground(window: RoomWindow, toward_sun: np.ndarray) -> Mesh:
    """A plane that rises outward from below a window, parallel to the sun's rays: lets them in."""
    left, right = window.outside[:2]
    outward = toward_sun * 4.0
    along = 2.0 * (right - left)
    first = left - along / 4 - [0, 0, 0.05]
    mesh = quad(first, first + along, first + along + outward, first + outward)
    if mesh.normals[0] @ window.outward > 0:
        mesh = quad(first + along, first, first + outward, first + along + outward)
    return mesh


def _area_light(mesh: Mesh, radiance: np.ndarray) -> dict:
    return {"type": "mesh", "mesh": mesh, "emitter": {"type": "area", "radiance": rgb(radiance)}}


def _lamp(rng: np.random.Generator, size: np.ndarray, irradiance: np.ndarray) -> dict:
    """A panel below the ceiling, or a bulb that hangs or stands."""
    position = np.array([*(rng.uniform(-0.4, 0.4, 2) * size[:2]), size[2] - 0.02])
    if rng.random() < 0.45:
        half = rng.uniform(0.08, 0.6, 2)
        # Radiance L of a small area A gives L A / d^2 at a distance d below it.
        radiance = irradiance * (0.7 * size[2]) ** 2 / (4 * half[0] * half[1])
        return _downward(half, position, radiance)
    position[2] = rng.uniform(0.4, size[2] - 0.3)
    return bulb(position, rng.uniform(0.04, 0.14), irradiance, distance=1.2)
