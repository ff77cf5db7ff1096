"""Places objects on the floor without touching, or on top of each other."""

import numpy as np

from albedo_pipeline.rendering.meshes import Mesh
from albedo_pipeline.rendering.shapes import Solid, draw_solid, scaled

GAP = 0.03
"""Smallest distance between neighbours, scene units (a typical object is about 1 unit wide)."""
STACKING_PROBABILITY = 0.3
"""Probability that an object stands on another one, if one has a free flat top."""


def draw_objects(rng: np.random.Generator) -> list[Mesh]:
    """2 to 8 random meshes that do not intersect and stand close together around the origin."""
    placed: list[tuple[Solid, np.ndarray]] = []
    for _ in range(rng.integers(2, 9)):
        solid = scaled(draw_solid(rng), rng.uniform(0.28, 0.62))
        bases = [pair for pair in placed if pair[0].top > 0]
        if bases and rng.random() < STACKING_PROBABILITY:
            base, position = bases[rng.integers(len(bases))]
            solid = scaled(solid, min(1.0, rng.uniform(0.8, 1.0) * base.top / solid.radius))
            placed = [pair for pair in placed if pair[0] is not base]
            placed.append((Solid(base.mesh, base.radius, base.height, 0.0), position))
            placed.append((solid, position + np.array([0, 0, base.height])))
        else:
            placed.append((solid, _free_position(rng, solid, placed)))
    return [solid.mesh.transformed(np.eye(3), position) for solid, position in placed]


def _free_position(
    rng: np.random.Generator, solid: Solid, placed: list[tuple[Solid, np.ndarray]]
) -> np.ndarray:
    """A free position on the floor, drawn from a disc that grows until one is found."""
    reach = 0.0
    while True:
        angle, distance = rng.uniform(0, 2 * np.pi), reach * np.sqrt(rng.random())
        position = np.array([distance * np.cos(angle), distance * np.sin(angle), 0.0])
        if all(
            np.linalg.norm(position - other) > solid.radius + neighbour.radius + GAP
            for neighbour, other in placed
            if other[2] == 0
        ):
            return position
        reach += 0.05
