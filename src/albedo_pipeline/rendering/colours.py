"""Albedo colours: linear Rec.709 reflectance between DARKEST and BRIGHTEST."""

import colorsys

import numpy as np

DARKEST, BRIGHTEST = 0.03, 0.9
"""Range of reflectance of real diffuse surfaces: charcoal has about 0.04, fresh snow or white paint
about 0.9."""


def draw_palette(rng: np.random.Generator, count: int = 10) -> np.ndarray:
    """Colours of one scene [count, 3]: from a few related hues to all hues, muted to saturated."""
    hue = rng.random() + rng.choice([0.06, 0.15, 0.5]) * rng.uniform(-1, 1, count)
    saturation = np.clip(rng.uniform(0.1, 0.9) + rng.uniform(-0.35, 0.35, count), 0, 1)
    saturation[rng.random(count) < 0.15] *= 0.1  # greys, blacks and whites
    value = rng.uniform(0.22, 1.0, count)
    # A gamma of 2.2 is close enough to sRGB here: the colours are random anyway.
    encoded = [colorsys.hsv_to_rgb(*hsv) for hsv in zip(hue % 1, saturation, value, strict=True)]
    return clip_to_albedo_range(np.array(encoded) ** 2.2)


def draw_neutral(rng: np.random.Generator) -> np.ndarray:
    """A nearly grey colour [3], such as many floors and walls have."""
    return clip_to_albedo_range(rng.uniform(0.35, 0.65) * rng.uniform(0.93, 1.07, 3))


def clip_to_albedo_range(colour: np.ndarray) -> np.ndarray:
    """`colour` with every channel clipped to [DARKEST, BRIGHTEST]."""
    return np.clip(colour, DARKEST, BRIGHTEST)
