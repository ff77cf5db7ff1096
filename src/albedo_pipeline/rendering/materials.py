"""Materials as Mitsuba BSDF descriptions (plain dicts and arrays), all with a diffuse lobe.

The albedo is the reflectance of the diffuse lobe; a gloss on top does not change it.
"""

import numpy as np

from albedo_pipeline.rendering.colours import draw_neutral
from albedo_pipeline.rendering.textures import draw_texture

KINDS = ["diffuse", "plastic", "principled"]
"""Mitsuba plugins that are used. `roughplastic` is left out: Mitsuba needs 50 ms to tabulate each
one, and `principled` looks the same."""
ALBEDO_KEYS = ["reflectance", "diffuse_reflectance", "base_color"]
"""The parameter of each of KINDS that holds the albedo."""
KIND_PROBABILITIES = [0.5, 0.1, 0.4]
"""Probability of each of KINDS for an object's material."""


def draw_material(rng: np.random.Generator, palette: np.ndarray, repeats: float) -> dict:
    """A random material of an object: one colour, or a texture that repeats `repeats` times."""
    kind = str(rng.choice(KINDS, p=KIND_PROBABILITIES))
    if rng.random() < 0.45:
        return material(rng, kind, plain(palette[rng.integers(len(palette))]))
    return material(rng, kind, textured(draw_texture(rng, palette), repeats))


def draw_wall_material(rng: np.random.Generator, palette: np.ndarray, repeats: float) -> dict:
    """A random material of a floor or wall: less colourful than an object's, and mostly matt."""
    kind = str(rng.choice(KINDS, p=[0.8, 0.0, 0.2]))
    choice = rng.random()
    if choice < 0.75:
        return material(rng, kind, plain(draw_neutral(rng)))
    if choice < 0.83:
        return material(rng, kind, plain(palette[rng.integers(len(palette))]))
    return material(rng, kind, textured(draw_texture(rng, palette), repeats))


def material(rng: np.random.Generator, kind: str, albedo: dict) -> dict:
    """A two-sided BSDF of `kind`, with random gloss over `albedo` (from `plain` or `textured`)."""
    if kind == "diffuse":
        surface: dict[str, object] = {"type": kind, "reflectance": albedo}
    elif kind == "plastic":
        surface = {"type": kind, "diffuse_reflectance": albedo}
    else:
        surface = {
            "type": kind,
            "base_color": albedo,
            "roughness": rng.uniform(0.15, 0.8),
            "specular": rng.uniform(0.2, 0.8),
        }
    return {"type": "twosided", "surface": surface}


def plain(colour: np.ndarray) -> dict:
    """Description of one linear Rec.709 reflectance [3] for the complete surface."""
    return {"type": "rgb", "value": [float(value) for value in colour]}


def textured(image: np.ndarray, repeats: float) -> dict:
    """Description of a texture: linear reflectance [rows, columns, 3], repeated `repeats` times."""
    return {"type": "bitmap", "data": image, "raw": True, "repeats": float(repeats)}
