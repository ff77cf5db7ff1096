"""The worlds that scenes are drawn from, by name."""

import numpy as np

from albedo_pipeline.rendering.scene import Scene, World
from albedo_pipeline.rendering.tabletop import draw_tabletop
from albedo_pipeline.rendering.wide import draw_wide


def draw_scene(rng: np.random.Generator, world: World) -> Scene:
    """A random scene of `world` with its lights."""
    return draw_tabletop(rng) if world == "tabletop" else draw_wide(rng)
