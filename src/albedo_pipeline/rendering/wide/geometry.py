"""Cheap meshes of the wide world: boxes, cards, height fields. Texture coordinates are lengths."""

import numpy as np
from numpy.typing import ArrayLike

from albedo_pipeline.rendering.meshes import Mesh, grid, joined, rotation

_AXES = [(axis, side) for axis in range(3) for side in (0, 1)]


def boxes(low: ArrayLike, high: ArrayLike) -> Mesh:
    """Axis-aligned boxes between the corners `low` and `high`, each [N, 3] or [3]."""
    lows, highs = np.atleast_2d(np.asarray(low, float)), np.atleast_2d(np.asarray(high, float))
    vertices, normals, texcoords = [], [], []
    for axis, side in _AXES:
        u, v = (axis + 1) % 3, (axis + 2) % 3
        corner = np.zeros((4, 3))
        corner[:, axis] = side
        corner[:, u] = [0, 1, 1, 0] if side else [0, 0, 1, 1]
        corner[:, v] = [0, 0, 1, 1] if side else [0, 1, 1, 0]
        position = lows[:, None] + corner * (highs - lows)[:, None]
        vertices.append(position)
        # A wall shows its texture upright: horizontal lengths along u, heights along v.
        across, up = {0: (1, 2), 1: (0, 2), 2: (0, 1)}[axis]
        texcoords.append(position[..., [across, up]])
        normal = np.zeros(3)
        normal[axis] = 2 * side - 1
        normals.append(np.broadcast_to(normal, position.shape))
    first = 4 * np.arange(6 * len(lows))[:, None, None]
    faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
    return Mesh(
        np.concatenate(vertices).reshape(-1, 3),
        np.concatenate(normals).reshape(-1, 3),
        np.concatenate(texcoords).reshape(-1, 2),
        faces,
    )


def cards(centre: np.ndarray, side: np.ndarray, up: np.ndarray) -> Mesh:
    """Rectangles with centres [N, 3] that reach by +-`side` and +-`up` [N, 3]; front side x up."""
    signs = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    vertices = np.stack([centre + a * side + b * up for a, b in signs], axis=1)
    normal = np.cross(side, up)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    texcoords = np.tile([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], (len(centre), 1))
    first = 4 * np.arange(len(centre))[:, None, None]
    faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
    return Mesh(vertices.reshape(-1, 3), np.repeat(normal, 4, axis=0), texcoords, faces)


def random_cards(rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> Mesh:
    """Slender rectangles such as leaves, with half-lengths `size` [N], turned at random.

    Each has a back just behind its front, because the albedo is seen on fronts only.
    """
    side = rng.normal(size=centre.shape)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, rng.normal(size=centre.shape))
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    normal = np.cross(side, up) * 0.001 * size[:, None]
    side, up = side * size[:, None], up * size[:, None] * rng.uniform(0.3, 0.8)
    return joined([cards(centre + normal, side, up), cards(centre - normal, up, side)])


def height_field(x: np.ndarray, y: np.ndarray, height: np.ndarray) -> Mesh:
    """A surface over the lattice of `x` [C] and `y` [R] with heights [R, C]; it faces up."""
    slope_y, slope_x = np.gradient(height, y, x)
    normals = np.stack([-slope_x, -slope_y, np.ones_like(height)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    xs, ys = np.meshgrid(x, y)
    return grid(np.stack([xs, ys, height], axis=-1), normals, np.stack([xs, ys], axis=-1))


def smooth_heights(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, size: float
) -> np.ndarray:
    """Hills of standard deviation about 1 and wavelengths of about `size` and less, [R, C]."""
    wave = rng.normal(size=(10, 2)) * (2 * np.pi / size) * rng.uniform(0.4, 2.0, (10, 1))
    strength = 1 / (0.5 + np.linalg.norm(wave, axis=1) * size / (2 * np.pi))
    strength *= np.sqrt(2) / np.linalg.norm(strength)
    phase = rng.uniform(0, 2 * np.pi, 10)
    xs, ys = np.meshgrid(x, y)
    angle = xs[..., None] * wave[:, 0] + ys[..., None] * wave[:, 1] + phase
    return (strength * np.sin(angle)).sum(axis=-1)


def placed(mesh: Mesh, position: ArrayLike, turn: float = 0.0, scale: float = 1.0) -> Mesh:
    """The mesh scaled, turned by `turn` radians about the z axis, and moved to `position` [3]."""
    return mesh.transformed(rotation(2, turn) * scale, np.asarray(position, float))
