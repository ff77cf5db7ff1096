"""Surfaces, all with a diffuse lobe: Mitsuba BSDF descriptions (plain dicts and arrays).

The albedo is the reflectance given to the diffuse lobe; a gloss on top never changes it.
"""

import numpy as np

from albedo_pipeline.rendering.colours import draw_neutral
from albedo_pipeline.rendering.textures import draw_texture

KINDS = ["diffuse", "plastic", "principled"]
"""Not roughplastic: Mitsuba tabulates each anew for 50 ms, and principled looks the same."""
SHARES = [0.5, 0.1, 0.4]


def draw_material(rng: np.random.Generator, palette: np.ndarray, repeats: float) -> dict:
    """An object's material: plain, or with a texture that goes `repeats` times over it."""
    kind = str(rng.choice(KINDS, p=SHARES))
    if rng.random() < 0.45:
        return material(rng, kind, plain(palette[rng.integers(len(palette))]))
    return material(rng, kind, textured(draw_texture(rng, palette), repeats))


def draw_wall_material(rng: np.random.Generator, palette: np.ndarray, repeats: float) -> dict:
    """A floor's or wall's material: quieter than an object's, and mostly matt."""
    kind = str(rng.choice(KINDS, p=[0.8, 0.0, 0.2]))
    choice = rng.random()
    if choice < 0.75:
        return material(rng, kind, plain(draw_neutral(rng)))
    if choice < 0.83:
        return material(rng, kind, plain(palette[rng.integers(len(palette))]))
    return material(rng, kind, textured(draw_texture(rng, palette), repeats))


def material(rng: np.random.Generator, kind: str, albedo: dict) -> dict:
    """A two-sided BSDF of `kind` with random gloss over `albedo` (see `plain` and `textured`)."""
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
    """One linear Rec.709 reflectance [3] everywhere."""
    return {"type": "rgb", "value": [float(value) for value in colour]}


def textured(image: np.ndarray, repeats: float) -> dict:
    """A texture [rows, columns, 3] of linear reflectance, `repeats` times over the surface."""
    return {"type": "bitmap", "data": image, "raw": True, "repeats": float(repeats)}
