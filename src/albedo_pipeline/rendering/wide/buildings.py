"""Buildings: boxes with facades of windows, ledges, doors and roofs; metres."""

import numpy as np

from albedo_pipeline.rendering.meshes import Mesh, joined, quad
from albedo_pipeline.rendering.wide.geometry import boxes, placed


def draw_building(rng: np.random.Generator) -> tuple[list[Mesh], float]:
    """Walls, panes, frames and roof around the z axis, and the radius of the ground plan."""
    width, depth = rng.uniform(4, 14, 2)
    floors = int(rng.integers(1, 7))
    storey = rng.uniform(2.6, 3.8)
    height = floors * storey + rng.uniform(0.3, 1.0)
    x, y = width / 2, depth / 2
    walls = [boxes([-x, -y, -3], [x, y, height])]
    panes, frames = [], []
    for length, distance, turn in [
        (width, y, 0.0),
        (depth, x, np.pi / 2),
        (width, y, np.pi),
        (depth, x, 1.5 * np.pi),
    ]:
        pane, frame = _facade(rng, length, floors, storey)
        panes.append(placed(pane, _turned([0, distance, 0], turn), turn))
        frames.append(placed(frame, _turned([0, distance, 0], turn), turn))
    ledge = rng.uniform(0.05, 0.4)
    roof = boxes([-x - ledge, -y - ledge, height], [x + ledge, y + ledge, height + 0.25])
    if rng.random() < 0.5:
        roof = _gable(x + ledge, y + ledge, height, rng.uniform(0.5, 1.0) * min(x, y))
    return [joined(walls), joined(panes), joined(frames), roof], float(np.hypot(x, y))


def _turned(position: list[float], turn: float) -> np.ndarray:
    x, y, z = position
    return np.array([np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y, z])


def _facade(
    rng: np.random.Generator, length: float, floors: int, storey: float
) -> tuple[Mesh, Mesh]:
    """Panes and frames of one facade, which faces +y at y = 0."""
    columns = max(1, int(length / rng.uniform(1.4, 3.5)))
    half = min(0.42 * length / columns, rng.uniform(0.4, 1.2))
    column, floor = (a.ravel() for a in np.meshgrid(np.arange(columns), np.arange(floors)))
    centre = (column + 0.5) * length / columns - length / 2
    sill = rng.uniform(0.15, 0.4) * storey
    tall = rng.uniform(0.35, 0.6) * storey
    zero = np.zeros(len(centre))
    low = np.column_stack([centre - half, zero - 0.05, floor * storey + sill])
    high = np.column_stack([centre + half, zero + 0.02, floor * storey + sill + tall])
    border = rng.uniform(0.06, 0.18)
    frames = []
    for start, end in [(low[:, 0] - border, low[:, 0]), (high[:, 0], high[:, 0] + border)]:
        edge_low, edge_high = low.copy(), high.copy()
        edge_low[:, 0], edge_high[:, 0] = start, end
        edge_high[:, 1] += 0.08
        frames.append(boxes(edge_low, edge_high))
    ledge_low = np.column_stack([low[:, 0] - border, zero, low[:, 2] - border])
    ledge_high = np.column_stack([high[:, 0] + border, zero + rng.uniform(0.1, 0.3), low[:, 2]])
    middle_low = np.column_stack([centre - 0.03, zero, low[:, 2]])
    middle_high = np.column_stack([centre + 0.03, zero + 0.06, high[:, 2]])
    frames += [boxes(ledge_low, ledge_high), boxes(middle_low, middle_high)]
    if rng.random() < 0.3:  # balconies, or ledges between storeys
        z = storey * np.arange(1, floors + 1)[:, None]
        reach = rng.uniform(0.15, 1.0)
        frames.append(
            boxes(z * [0, 0, 1] + [-length / 2, 0, -0.2], z * [0, 0, 1] + [length / 2, reach, 0])
        )
    return boxes(low, high), joined(frames)


def _gable(x: float, y: float, base: float, rise: float) -> Mesh:
    """A roof with its ridge along x, closed at both ends by thin triangles."""
    ridge = [np.array([side, 0.0, base + rise]) for side in (-x, x)]
    front = quad([-x, -y, base], [x, -y, base], ridge[1], ridge[0])
    back = quad([x, y, base], [-x, y, base], ridge[0], ridge[1])
    ends = []
    for side, tip in zip((-x, x), ridge, strict=True):
        a, b = np.array([side, -y, base]), np.array([side, y, base])
        corners = np.array([a, b, tip]) if side > 0 else np.array([b, a, tip])
        normal = np.tile([np.sign(side), 0.0, 0.0], (3, 1))
        ends.append(Mesh(corners, normal, corners[:, 1:], np.array([[0, 1, 2]])))
    slopes = [
        Mesh(s.vertices, s.normals, s.vertices[:, :2] * [1, np.hypot(y, rise) / y], s.faces)
        for s in (front, back)
    ]
    return joined([*slopes, *ends])
