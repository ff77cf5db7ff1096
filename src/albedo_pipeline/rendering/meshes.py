"""Triangle meshes as numpy arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

CREASE = np.cos(np.radians(30.0))
"""Cosine of the largest angle between profile segments that are shaded as one smooth surface,
30 degrees; a sharper corner keeps its edge."""


@dataclass(frozen=True)
class Mesh:
    """Triangles with normals and texture coordinates; z up, counter-clockwise from outside."""

    vertices: np.ndarray  # float [N, 3]
    normals: np.ndarray  # float [N, 3], unit
    texcoords: np.ndarray  # float [N, 2], roughly in [0, 1]
    faces: np.ndarray  # int [F, 3]

    def transformed(self, linear: np.ndarray, offset: np.ndarray) -> "Mesh":
        """The mesh with every vertex x moved to linear @ x + offset.

        Normals are multiplied by the inverse transpose of `linear`.
        """
        normals = _unit(self.normals @ np.linalg.inv(linear))
        return Mesh(self.vertices @ linear.T + offset, normals, self.texcoords, self.faces)


def rotation(axis: int, angle: float) -> np.ndarray:
    """Right-handed rotation by `angle` radians about coordinate axis 0, 1 or 2: [3, 3]."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[b, a], matrix[a, b] = np.sin(angle), -np.sin(angle)
    return matrix


def revolve(profile: ArrayLike, segments: int = 48) -> Mesh:
    """The surface that `profile` sweeps around the z axis.

    Args:
        profile: [P, 2] of (radius, z), from bottom to top along the outside; a closed ring runs
            counter-clockwise in that plane.
        segments: number of quads around the axis.
    """
    points, normals = _creased(np.asarray(profile, float))
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    v = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    u = np.linspace(0, 1, segments + 1)
    circle = np.stack([np.cos(2 * np.pi * u), np.sin(2 * np.pi * u)], axis=-1)

    def swept(curve: np.ndarray) -> np.ndarray:
        around = curve[:, None, :1] * circle
        return np.concatenate(
            [around, np.broadcast_to(curve[:, None, 1:], (*around.shape[:2], 1))], axis=-1
        )

    texcoords = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), axis=-1)
    return grid(swept(points), swept(normals), texcoords)


def grid(vertices: np.ndarray, normals: np.ndarray, texcoords: np.ndarray) -> Mesh:
    """Quads between the neighbours of a [rows, columns, ...] lattice; columns run around the axis.

    Triangles without area (at poles and creases) are left out, because they would give NaN shading
    frames.
    """
    rows, columns = vertices.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    flat = vertices.reshape(-1, 3)
    edges = flat[faces[:, 1:]] - flat[faces[:, :1]]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    return Mesh(flat, normals.reshape(-1, 3), texcoords.reshape(-1, 2), faces[area > 1e-9])


def prism(sides: int) -> Mesh:
    """An upright prism over a regular polygon of circumradius 1, from z = 0 to z = 1."""
    angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    corner = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    parts = [_cap(corner, 1.0), _cap(corner[::-1], 0.0)]
    for left, right in zip(corner, np.roll(corner, -1, axis=0), strict=True):
        parts.append(quad([*left, 0], [*right, 0], [*right, 1], [*left, 1]))
    return joined(parts)


def quad(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike) -> Mesh:
    """A flat parallelogram with corners a, b, c, d, counter-clockwise as seen from its front."""
    vertices = np.array([a, b, c, d], float)
    normal = _unit(np.cross(vertices[1] - vertices[0], vertices[3] - vertices[0]))
    texcoords = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    return Mesh(vertices, np.tile(normal, (4, 1)), texcoords, np.array([[0, 1, 2], [0, 2, 3]]))


def joined(parts: list[Mesh]) -> Mesh:
    """Several meshes joined into one."""
    first = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.texcoords for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, first, strict=True)]),
    )


def _cap(corner: np.ndarray, z: float) -> Mesh:
    count = len(corner)
    vertices = np.column_stack([corner, np.full(count, z)])
    normal = [0, 0, 1.0 if z > 0 else -1.0]
    fan = np.column_stack([np.zeros(count - 2, int), np.arange(1, count - 1), np.arange(2, count)])
    return Mesh(vertices, np.tile(normal, (count, 1)), 0.5 + 0.5 * corner, fan)


def _creased(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Profile points, doubled at sharp corners, and their outward normals as (radius, z)."""
    tangent = _unit(np.diff(profile, axis=0))
    outward = np.column_stack([tangent[:, 1], -tangent[:, 0]])
    points, normals = [profile[0]], [outward[0]]
    for point, before, after in zip(profile[1:-1], outward[:-1], outward[1:], strict=True):
        if before @ after < CREASE:
            points += [point, point]
            normals += [before, after]
        else:
            points.append(point)
            normals.append(_unit(before + after))
    return np.array([*points, profile[-1]]), np.array([*normals, outward[-1]])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
