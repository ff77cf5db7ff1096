"""Textures of the wide world: linear reflectance [SIDE, SIDE, 3]."""

import numpy as np

from albedo_pipeline.rendering.colours import clip_to_albedo_range
from albedo_pipeline.rendering.wide.noise_patterns import (
    fractal,
    fractal_noise,
    islands,
    marble,
    photo_noise,
    plain,
    wood,
)
from albedo_pipeline.rendering.wide.palettes import GREENS, STONES, WOODS, natural
from albedo_pipeline.rendering.wide.regular_patterns import (
    bricks,
    checker,
    dots,
    plaid,
    stripes,
    tiles,
    writing,
)
from albedo_pipeline.rendering.wide.shape_patterns import cells, dead_leaves, picture, strokes

PATTERNS = {
    "plain": plain,
    "fractal": fractal,
    "islands": islands,
    "marble": marble,
    "wood": wood,
    "photo_noise": photo_noise,
    "bricks": bricks,
    "tiles": tiles,
    "stripes": stripes,
    "plaid": plaid,
    "checker": checker,
    "dots": dots,
    "writing": writing,
    "dead_leaves": dead_leaves,
    "strokes": strokes,
    "cells": cells,
    "picture": picture,
}
"""Functions that draw a pattern in given colours [N, 3], by name."""
OWN_COLOURS = {"wood": WOODS, "strokes": GREENS, "bricks": STONES, "cells": STONES}
"""Colours that a pattern often has in reality, sRGB-encoded."""
GROUNDS = ["plain", "fractal", "photo_noise", "bricks", "tiles", "wood", "cells", "strokes"]
"""Patterns of large surfaces: floors, walls, and the ground."""


def draw_wide_texture(
    rng: np.random.Generator, palette: np.ndarray, patterns: list[str] | None = None
) -> np.ndarray:
    """A random texture, float32; two patterns in one at times, at times faded or dirty.

    Args:
        rng: source of all random draws.
        palette: colours to use, linear reflectance [N, 3] with N >= 7.
        patterns: names to choose from; None: all.
    """
    image = _draw_pattern(rng, palette, patterns)
    if rng.random() < 0.2:
        other = _draw_pattern(rng, palette, patterns)
        part = fractal_noise(rng, 1.8) > rng.uniform(-0.5, 1.0)
        image = np.where(part[..., None], other, image)
    if rng.random() < 0.3:  # faded
        image = image + rng.uniform(0.2, 0.9) * (image.mean(axis=(0, 1)) - image)
    if rng.random() < 0.35:  # dirty
        image = image * np.exp(-rng.uniform(0.05, 0.4) * np.abs(fractal_noise(rng, 1.1)))[..., None]
    return clip_to_albedo_range(image).astype(np.float32)


def _draw_pattern(
    rng: np.random.Generator, palette: np.ndarray, patterns: list[str] | None
) -> np.ndarray:
    names = patterns or list(PATTERNS)
    name = names[rng.integers(len(names))]
    colours = rng.permutation(palette)
    if name in OWN_COLOURS and rng.random() < 0.6:
        colours = natural(rng, OWN_COLOURS[name], len(palette))
    return PATTERNS[name](rng, colours)
