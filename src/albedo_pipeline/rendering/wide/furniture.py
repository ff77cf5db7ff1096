"""Furniture of rooms: meshes around the z axis that stand on z = 0 with the back toward +y; metres.

Each function returns the parts of a piece, one for each material, and its width and depth.
"""

from collections.abc import Callable

import numpy as np

from albedo_pipeline.rendering.meshes import Mesh, joined
from albedo_pipeline.rendering.shapes import bumpy_sphere, draw_solid
from albedo_pipeline.rendering.wide.clutter import scattered
from albedo_pipeline.rendering.wide.geometry import boxes, placed, random_cards

Piece = tuple[list[Mesh], tuple[float, float]]


def _table(rng: np.random.Generator) -> Piece:
    w, d, h = rng.uniform(0.7, 2.0), rng.uniform(0.6, 1.0), rng.uniform(0.4, 0.9)
    leg = rng.uniform(0.04, 0.1)
    x, y = w / 2, d / 2
    feet = np.array([[-x, -y, 0], [x - leg, -y, 0], [-x, y - leg, 0], [x - leg, y - leg, 0]])
    parts = [boxes([-x, -y, h - 0.05], [x, y, h]), boxes(feet, np.add(feet, [leg, leg, h - 0.05]))]
    if rng.random() < 0.8:
        parts += scattered(rng, int(rng.integers(2, 9)), 0.4 * d, 0.09, h)
    return parts, (w, d)


def _chair(rng: np.random.Generator) -> Piece:
    w, h = rng.uniform(0.4, 0.55), rng.uniform(0.4, 0.5)
    x, leg = w / 2, 0.045
    feet = np.array([[-x, -x, 0], [x - leg, -x, 0], [-x, x - leg, 0], [x - leg, x - leg, 0]])
    seat = boxes([-x, -x, h - 0.05], [x, x, h])
    back = boxes([-x, x - 0.04, h], [x, x, h + rng.uniform(0.3, 0.6)])
    return [joined([seat, back]), boxes(feet, np.add(feet, [leg, leg, h]))], (w, w)


def _shelf(rng: np.random.Generator) -> Piece:
    """Boards with books of many heights between them; three materials of books."""
    w, d, rows = rng.uniform(0.6, 1.8), rng.uniform(0.22, 0.4), int(rng.integers(2, 7))
    step = rng.uniform(0.27, 0.4)
    x, y, h = w / 2, d / 2, rows * step
    z = step * np.arange(rows + 1)
    ends = np.full(rows + 1, 1.0)[:, None]
    boards = boxes(
        ends * [-x, -y, 0] + z[:, None] * [0, 0, 1], ends * [x, y, 0.025] + z[:, None] * [0, 0, 1]
    )
    sides = boxes([[-x, -y, 0], [x - 0.025, -y, 0]], [[-x + 0.025, y, h], [x, y, h]])
    back = boxes([-x, y - 0.01, 0], [x, y, h])
    count = int(rows * w / 0.06)
    low = np.column_stack(
        [
            rng.uniform(-x + 0.03, x - 0.1, count),
            rng.uniform(-y, -y + 0.08, count),
            rng.choice(z[:-1], count) + 0.025,
        ]
    )
    size = np.column_stack(
        [
            rng.uniform(0.015, 0.06, count),
            np.full(count, d - 0.1),
            step * rng.uniform(0.5, 0.85, count),
        ]
    )
    third = rng.integers(3, size=count)
    books = [
        boxes(low[third == i], (low + size)[third == i]) for i in range(3) if (third == i).any()
    ]
    return [joined([boards, sides, back]), *books], (w, d)


def _cabinet(rng: np.random.Generator) -> Piece:
    w, d, h = rng.uniform(0.5, 1.8), rng.uniform(0.35, 0.6), rng.uniform(0.5, 2.1)
    x, y = w / 2, d / 2
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    column, row = (a.ravel() for a in np.meshgrid(np.arange(columns), np.arange(rows)))
    low = np.column_stack([-x + w * column / columns, 0 * row - y - 0.02, h * row / rows]) + 0.015
    high = np.add(low, [w / columns - 0.03, 0.02, h / rows - 0.03])
    knob = (low + high) / 2 + [0.3 * w / columns, -0.03, 0]
    parts = [boxes([-x, -y, 0], [x, y, h]), boxes(low, high), boxes(knob - 0.02, knob + 0.02)]
    if h < 1.3 and rng.random() < 0.7:
        parts += scattered(rng, int(rng.integers(1, 6)), 0.4 * d, 0.1, h)
    return parts, (w, d)


def _sofa(rng: np.random.Generator) -> Piece:
    w, d = rng.uniform(0.8, 2.3), rng.uniform(0.8, 1.0)
    x, y, seat = w / 2, d / 2, rng.uniform(0.35, 0.45)
    arm, top = rng.uniform(0.12, 0.25), rng.uniform(0.7, 0.95)
    body = boxes(
        [[-x, -y, 0.06], [-x, y - 0.2, 0.06], [-x, -y, 0.06], [x - arm, -y, 0.06]],
        [[x, y, seat - 0.12], [x, y, top], [-x + arm, y, seat + 0.2], [x, y, seat + 0.2]],
    )
    count = max(1, round(w / 0.75))
    left = -x + arm + (w - 2 * arm) * np.arange(count) / count
    low = np.column_stack([left + 0.01, np.full(count, -y - 0.02), np.full(count, seat - 0.12)])
    cushions = boxes(low, np.add(low, [(w - 2 * arm) / count - 0.02, d - 0.2, 0.14]))
    pillow = placed(bumpy_sphere(rng, 13, 17, 0.8), [0.2 * x, 0, seat + 0.18], 0.3, 0.17)
    return [body, cushions, pillow], (w, d)


def _bed(rng: np.random.Generator) -> Piece:
    w, d, h = rng.uniform(0.9, 1.8), 2.0, rng.uniform(0.35, 0.55)
    x, y = w / 2, d / 2
    frame = boxes([[-x, -y, 0], [-x, y - 0.06, 0]], [[x, y, h - 0.15], [x, y, h + 0.6]])
    blanket = boxes([-x - 0.02, -y - 0.02, h - 0.2], [x + 0.02, y - 0.6, h + 0.05])
    sheet = boxes([-x, -y, h - 0.15], [x, y - 0.06, h])
    pillow = boxes([-0.35, y - 0.5, h], [0.35, y - 0.1, h + 0.1])
    return [frame, blanket, joined([sheet, pillow])], (w, d)


def _plant(rng: np.random.Generator) -> Piece:
    pot = placed(draw_solid(rng).mesh, [0, 0, 0], 0, 0.17)
    count, reach = int(rng.integers(40, 160)), rng.uniform(0.25, 0.5)
    position = rng.normal(0, 0.4, (count, 3)) * reach + [0, 0, 0.45 + reach]
    leaves = random_cards(rng, position, np.full(count, rng.uniform(0.03, 0.1)))
    return [pot, leaves], (0.5, 0.5)


def _stack(rng: np.random.Generator) -> Piece:
    """Cartons on each other."""
    parts, z = [], 0.0
    for _ in range(rng.integers(1, 5)):
        x, y, h = rng.uniform(0.12, 0.35, 3)
        box = boxes([-x, -y, 0], [x, y, h])
        parts.append(placed(box, [*rng.uniform(-0.05, 0.05, 2), z], rng.normal(0, 0.2)))
        z += h
    return parts, (0.7, 0.7)


def _toys(rng: np.random.Generator) -> Piece:
    return scattered(rng, int(rng.integers(4, 15)), 0.6, 0.13), (1.2, 1.2)


PIECES: dict[str, Callable[[np.random.Generator], Piece]] = {
    "table": _table,
    "chair": _chair,
    "shelf": _shelf,
    "cabinet": _cabinet,
    "sofa": _sofa,
    "bed": _bed,
    "plant": _plant,
    "stack": _stack,
    "toys": _toys,
}
"""Functions that draw a piece of furniture, by name."""
AT_WALLS = {"shelf", "cabinet", "sofa", "bed"}
"""Pieces that stand with their back to a wall."""
