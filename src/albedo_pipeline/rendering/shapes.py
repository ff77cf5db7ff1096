"""Shapes of objects: random meshes of about unit size that stand on z = 0."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from albedo_pipeline.rendering.meshes import Mesh, grid, prism, revolve, rotation

FLAT_TOPPED = {"box", "prism", "cylinder", "frustum"}
"""Kinds of solids that have room for another object on top if they stand upright."""


@dataclass(frozen=True)
class Solid:
    """One object; its mesh stands on z = 0 and is centred on the z axis."""

    mesh: Mesh
    radius: float
    """Radius of the upright cylinder that encloses the mesh."""
    height: float
    """Height of the mesh's highest point above z = 0."""
    top: float
    """Radius of the flat disc on top; 0 if nothing can stand on it."""


def draw_solid(rng: np.random.Generator) -> Solid:
    """A random object; the larger of its radius and its half height is 1."""
    kind = str(rng.choice(list(KINDS), p=_PROBABILITIES))
    mesh, top = KINDS[kind](rng)
    orientation = rotation(2, rng.uniform(0, 2 * np.pi))
    if kind not in {"sphere", "rock"} and rng.random() < 0.2:
        orientation = orientation @ rotation(0, np.pi / 2)
        top = 0.0
    elif kind == "rock":
        orientation = orientation @ rotation(0, rng.uniform(0, np.pi))
    mesh = mesh.transformed(orientation, np.zeros(3))
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    mesh = mesh.transformed(np.eye(3), -np.array([*(low + high)[:2] / 2, low[2]]))
    size = max(np.linalg.norm(mesh.vertices[:, :2], axis=1).max(), (high - low)[2] / 2)
    return scaled(Solid(mesh, size, size, top if kind in FLAT_TOPPED else 0.0), 1 / size)


def scaled(solid: Solid, factor: float) -> Solid:
    """The solid, scaled by `factor`."""
    mesh = solid.mesh.transformed(np.eye(3) * factor, np.zeros(3))
    radius = float(np.linalg.norm(mesh.vertices[:, :2], axis=1).max())
    return Solid(mesh, radius, float(mesh.vertices[:, 2].max()), solid.top * factor)


def _sphere(rng: np.random.Generator) -> tuple[Mesh, float]:
    angle = np.linspace(-np.pi / 2, np.pi / 2, 25)
    height = rng.choice([1.0, rng.uniform(0.6, 1.4)])
    return revolve(np.column_stack([_snapped_to_axis(np.cos(angle)), height * np.sin(angle)])), 0.0


def _box(rng: np.random.Generator) -> tuple[Mesh, float]:
    x, y = rng.uniform(0.6, 1.2, 2)
    mesh = prism(4).transformed(np.diag([x, y, rng.uniform(0.5, 2.0)]), np.zeros(3))
    return mesh, 0.7 * min(x, y)


def _prism(rng: np.random.Generator) -> tuple[Mesh, float]:
    mesh = prism(int(rng.choice([3, 5, 6]))).transformed(
        np.diag([1, 1, rng.uniform(0.4, 2.2)]), np.zeros(3)
    )
    return mesh, 0.5


def _cylinder(rng: np.random.Generator) -> tuple[Mesh, float]:
    height = rng.uniform(0.4, 2.5)
    return revolve([(0, 0), (1, 0), (1, height), (0, height)]), 1.0


def _frustum(rng: np.random.Generator) -> tuple[Mesh, float]:
    top, height = rng.uniform(0.4, 0.8), rng.uniform(0.6, 2.0)
    return revolve([(0, 0), (1, 0), (top, height), (0, height)]), float(top)


def _cone(rng: np.random.Generator) -> tuple[Mesh, float]:
    return revolve([(0, 0), (1, 0), (0, rng.uniform(1.2, 2.6))]), 0.0


def _torus(rng: np.random.Generator) -> tuple[Mesh, float]:
    angle = np.linspace(0, 2 * np.pi, 25)
    tube = rng.uniform(0.2, 0.45)
    return revolve(np.column_stack([1 + tube * np.cos(angle), tube * np.sin(angle)])), 0.0


def _capsule(rng: np.random.Generator) -> tuple[Mesh, float]:
    angle = np.linspace(-np.pi / 2, np.pi / 2, 24)
    shift = np.where(angle < 0, -0.5, 0.5) * rng.uniform(0.5, 2.5)
    return revolve(np.column_stack([_snapped_to_axis(np.cos(angle)), np.sin(angle) + shift])), 0.0


def _vase(rng: np.random.Generator) -> tuple[Mesh, float]:
    t = np.linspace(0, 1, 24)
    wave = 0.3 * np.sin(2 * np.pi * (rng.uniform(0.5, 1.4) * t + rng.random()))
    outside = np.column_stack([0.6 + wave, rng.uniform(1.6, 2.4) * t])
    inside = outside[::-1] * [0.85, 1.0] + [0.0, 0.08]
    return revolve(np.concatenate([[(0, 0)], outside, inside, [(0, inside[-1, 1])]])), 0.0


def _bowl(rng: np.random.Generator) -> tuple[Mesh, float]:
    angle = np.linspace(-np.pi / 2, rng.uniform(-0.3, 0.3), 20)
    shell = np.column_stack([_snapped_to_axis(np.cos(angle)), np.sin(angle)])
    return revolve(np.concatenate([shell, 0.88 * shell[::-1]])), 0.0


def _rounded_box(rng: np.random.Generator) -> tuple[Mesh, float]:
    """A stretched superellipsoid |x|^p + |y|^p + |z|^p = 1 (Barr 1981)."""
    power = rng.uniform(3.0, 8.0)
    direction, texcoords = _sphere_lattice()
    distance = (np.abs(direction) ** power).sum(axis=-1, keepdims=True) ** (-1 / power)
    vertices = direction * distance
    normals = np.sign(vertices) * np.abs(vertices) ** (power - 1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    stretch = np.diag(rng.uniform(0.6, 1.2, 3))
    return grid(vertices, normals, texcoords).transformed(stretch, np.zeros(3)), 0.0


def _rock(rng: np.random.Generator) -> tuple[Mesh, float]:
    return bumpy_sphere(rng), 0.0


def bumpy_sphere(
    rng: np.random.Generator, rows: int = 33, columns: int = 49, wave_number: float = 1.6
) -> Mesh:
    """A sphere of radius r(d) = 1 + a sum of plane waves; its normal is r d - grad_tangent r.

    Args:
        rng: source of all random draws.
        rows: number of vertices from pole to pole.
        columns: number of vertices around.
        wave_number: standard deviation of the waves' components, radians per unit.
    """
    direction, texcoords = _sphere_lattice(rows, columns)
    waves = rng.normal(0, wave_number, (6, 3))
    phase, strength = rng.uniform(0, 2 * np.pi, 6), rng.uniform(0.03, 0.13, 6)
    angle = direction @ waves.T + phase
    radius = 1 + (strength * np.sin(angle)).sum(axis=-1, keepdims=True)
    gradient = (strength * np.cos(angle)) @ waves
    gradient -= (gradient * direction).sum(axis=-1, keepdims=True) * direction
    normals = radius * direction - gradient
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return grid(direction * radius, normals, texcoords)


def _sphere_lattice(rows: int = 33, columns: int = 49) -> tuple[np.ndarray, np.ndarray]:
    """Unit directions [rows, columns, 3] and texture coordinates [rows, columns, 2]."""
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    ring, z = _snapped_to_axis(np.sin(np.pi * v)), -np.cos(np.pi * v)
    direction = np.stack([ring * np.cos(2 * np.pi * u), ring * np.sin(2 * np.pi * u), z], axis=-1)
    return direction, np.stack([u, v], axis=-1)


def _snapped_to_axis(radius: np.ndarray) -> np.ndarray:
    """`radius` with values below 1e-9, the rounding errors of points on the axis, set to 0."""
    return np.where(np.abs(radius) < 1e-9, 0.0, radius)


KINDS: dict[str, Callable[[np.random.Generator], tuple[Mesh, float]]] = {
    "sphere": _sphere,
    "box": _box,
    "prism": _prism,
    "cylinder": _cylinder,
    "frustum": _frustum,
    "cone": _cone,
    "torus": _torus,
    "capsule": _capsule,
    "vase": _vase,
    "bowl": _bowl,
    "rounded_box": _rounded_box,
    "rock": _rock,
}
"""Functions that draw a mesh and the radius of its flat top (0 if it has none), by kind."""
_FREQUENCIES = np.array([3, 3, 1.5, 2, 1, 1.5, 1.5, 1, 1.5, 1, 1.5, 1.5])
_PROBABILITIES = _FREQUENCIES / _FREQUENCIES.sum()
"""Probability of each of KINDS."""
