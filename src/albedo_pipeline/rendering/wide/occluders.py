"""Occluders that cast patterned shadows: blinds, windows, foliage, branches, walls.

They are not seen as surfaces: they are black, and glow with GLOW so that the valid mask leaves out
the pixels that show them, as it leaves out lights.
"""

import numpy as np

from albedo_pipeline.rendering.lights import rgb
from albedo_pipeline.rendering.materials import plain
from albedo_pipeline.rendering.meshes import joined
from albedo_pipeline.rendering.wide.geometry import cards

GLOW = 1e-6
"""Radiance of an occluder; far below the noise."""


def draw_occluder(
    rng: np.random.Generator, toward_light: np.ndarray, centre: np.ndarray, radius: float
) -> dict:
    """A description of an occluder between a light and the sphere of `radius` around `centre`."""
    kind = rng.choice(list(KINDS), p=_PROBABILITIES)
    position, half = KINDS[kind](rng)  # [N, 2] and [N, 2, 2], in units of `radius`
    angle = rng.uniform(0, 2 * np.pi) if kind in {"edge", "branches"} else rng.normal(0, 0.15)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    side = np.cross([0.0, 0.0, 1.0], toward_light)
    side /= np.linalg.norm(side)
    plane = np.stack([side, np.cross(toward_light, side)])  # [2, 3]
    to_world = radius * turn.T @ plane
    origin = centre + toward_light * radius * rng.uniform(2.0, 4.0)
    front = cards(origin + position @ to_world, half[:, 0] @ to_world, half[:, 1] @ to_world)
    back = cards(origin + position @ to_world, half[:, 1] @ to_world, half[:, 0] @ to_world)
    return {
        "type": "mesh",
        "mesh": joined([front, back]),
        "bsdf": {"type": "diffuse", "reflectance": plain(np.zeros(3))},
        "emitter": {"type": "area", "radiance": rgb(np.full(3, GLOW)), "sampling_weight": 0.0},
    }


def _upright(position: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rectangles of half sizes [N, 2] parallel to the axes: centres and half axes."""
    return position, half[:, :, None] * np.eye(2)


def _blinds(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(5, 26))
    height = 3.0 / count
    position = np.column_stack([np.zeros(count), height * (np.arange(count) - count / 2)])
    half = np.tile([1.6, height / 2 * rng.uniform(0.3, 0.75)], (count, 1))
    return _upright(position, half)


def _window(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A wall with an opening that has bars."""
    width, height = rng.uniform(0.25, 0.9, 2)
    offset = rng.uniform(-0.25, 0.25, 2)
    position = [[-2 - width, 0], [2 + width, 0], [0, -2 - height], [0, 2 + height]]
    half = [[2.0, 4.0], [2.0, 4.0], [4.0, 2.0], [4.0, 2.0]]
    bar = rng.uniform(0.015, 0.05)
    for axis, extent in ((0, width), (1, height)):
        count = int(rng.integers(0, 5))
        for step in np.arange(1, count + 1) / (count + 1) * 2 - 1:
            position.append([step * extent, 0] if axis == 0 else [0, step * extent])
            half.append([bar, height] if axis == 0 else [width, bar])
    return _upright(np.array(position, float) + offset, np.array(half, float))


def _foliage(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(60, 350))
    size = rng.uniform(0.03, 0.13) * rng.uniform(0.5, 1.5, count)
    angle = rng.uniform(0, np.pi, count)
    along = np.column_stack([np.cos(angle), np.sin(angle)])
    across = np.column_stack([-np.sin(angle), np.cos(angle)]) * rng.uniform(0.3, 0.8)
    position = rng.uniform(-1.5, 1.5, (count, 2))
    return position, np.stack([along, across], axis=1) * size[:, None, None]


def _branches(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(3, 14))
    angle = rng.normal(0, 0.5, count)
    along = np.column_stack([np.cos(angle), np.sin(angle)]) * 2.5
    across = np.column_stack([-np.sin(angle), np.cos(angle)])
    across *= rng.uniform(0.01, 0.12, (count, 1))
    return rng.uniform(-1, 1, (count, 2)), np.stack([along, across], axis=1)


def _edge(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A half plane, such as the shadow of a large building."""
    return _upright(np.array([[0, -3 - rng.uniform(-0.4, 0.4)]]), np.array([[4.0, 3.0]]))


def _panels(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(2, 9))
    return _upright(rng.uniform(-1.2, 1.2, (count, 2)), rng.uniform(0.05, 0.45, (count, 2)))


KINDS = {
    "blinds": _blinds,
    "window": _window,
    "foliage": _foliage,
    "branches": _branches,
    "edge": _edge,
    "panels": _panels,
}
"""Functions that draw the centres and half axes of rectangles, by kind."""
_PROBABILITIES = [0.18, 0.14, 0.26, 0.14, 0.1, 0.18]
