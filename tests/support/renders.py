"""What the tests of the renderer share: small settings, and comparing two renders."""

import numpy as np

from albedo_pipeline.rendering import Render, RenderSettings

SMALL = RenderSettings(resolution=16, samples_per_pixel=4, max_depth=3)
WHITE_SKY = {"type": "constant", "radiance": {"type": "rgb", "value": [1.0, 1.0, 1.0]}}
"""Mitsuba description of a sky of radiance 1."""


def identical(one: Render, other: Render) -> bool:
    """Whether two renders have the same bits and were redrawn for the same reasons."""
    return one.redrawn == other.redrawn and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("beauty", "albedo", "valid")
    )
