"""Albedo colours: linear Rec.709 reflectance between DARKEST and BRIGHTEST."""

import colorsys

import numpy as np

DARKEST, BRIGHTEST = 0.03, 0.9
"""Of real diffuse surfaces: charcoal is about 0.04, fresh snow or white paint about 0.9."""


def draw_palette(rng: np.random.Generator, count: int = 10) -> np.ndarray:
    """Colours of one scene [count, 3]: from a few related hues to all hues, muted to saturated."""
    hue = rng.random() + rng.choice([0.06, 0.15, 0.5]) * rng.uniform(-1, 1, count)
    saturation = np.clip(rng.uniform(0.1, 0.9) + rng.uniform(-0.35, 0.35, count), 0, 1)
    saturation[rng.random(count) < 0.15] *= 0.1  # greys, blacks and whites
    value = rng.uniform(0.22, 1.0, count)
    encoded = [colorsys.hsv_to_rgb(*hsv) for hsv in zip(hue % 1, saturation, value, strict=True)]
    return limited(np.array(encoded) ** 2.2)


def draw_neutral(rng: np.random.Generator) -> np.ndarray:
    """A nearly grey colour [3], as floors and walls often have."""
    return limited(rng.uniform(0.35, 0.65) * rng.uniform(0.93, 1.07, 3))


def limited(colour: np.ndarray) -> np.ndarray:
    """`colour` brought into the range of albedos."""
    return np.clip(colour, DARKEST, BRIGHTEST)
