"""The world `wide`: many kinds of places, for an estimator that has to work on foreign images.

Every scene is of one of KINDS. All have textures of higher resolution than `tabletop`, lights from
2500 K to 10000 K, hard and soft shadows, and cameras from near to far.
"""

import numpy as np

from albedo_pipeline.rendering.scene import Scene
from albedo_pipeline.rendering.tabletop import draw_tabletop
from albedo_pipeline.rendering.wide.close_up import draw_object_close_up, draw_surface_close_up
from albedo_pipeline.rendering.wide.clutter import draw_clutter
from albedo_pipeline.rendering.wide.outdoors import draw_outdoors
from albedo_pipeline.rendering.wide.room import draw_room

KINDS = {
    "tabletop": draw_tabletop,
    "clutter": draw_clutter,
    "room": draw_room,
    "outdoors": draw_outdoors,
    "object": draw_object_close_up,
    "surface": draw_surface_close_up,
}
"""Functions that draw a scene, by kind of place."""
PROBABILITIES = [0.08, 0.2, 0.3, 0.24, 0.08, 0.1]
"""Probability of each of KINDS."""


def draw_wide(rng: np.random.Generator) -> Scene:
    """A random scene of a random kind with its lights."""
    kind = str(rng.choice(list(KINDS), p=PROBABILITIES))
    return KINDS[kind](rng)
