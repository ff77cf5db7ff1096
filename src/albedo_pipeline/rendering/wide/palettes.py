"""Palettes of the wide world: vivid, muted, pastel, grey and natural colours."""

import numpy as np

from albedo_pipeline.rendering.colours import clip_to_albedo_range, draw_palette

NATURAL = (
    np.array(
        [
            [86, 102, 51], [58, 82, 44], [122, 132, 72], [44, 60, 38],  # leaves and grass
            [120, 92, 64], [88, 64, 46], [150, 122, 90], [62, 48, 38],  # wood and soil
            [224, 178, 148], [190, 138, 106], [140, 94, 70], [92, 62, 48],  # skin
            [128, 128, 126], [166, 162, 154], [92, 94, 98], [60, 60, 62],  # stone, asphalt
            [206, 190, 156], [222, 212, 190], [184, 160, 120],  # sand and plaster
            [156, 84, 62], [178, 104, 78], [126, 62, 48],  # brick and clay
            [232, 230, 226], [244, 242, 238], [36, 36, 38],  # white and black paint
            [96, 116, 140], [64, 78, 104], [140, 156, 164],  # slate and denim
        ]
    )
    / 255
)  # fmt: skip
"""Colours of common materials, sRGB-encoded [N, 3]."""
GREENS = NATURAL[:4]
WOODS = NATURAL[4:8]
STONES = NATURAL[12:19]
"""Parts of NATURAL."""


def draw_wide_palette(rng: np.random.Generator, count: int = 12) -> np.ndarray:
    """Colours of one scene, linear reflectance [count, 3], of one kind or of two kinds mixed."""
    first, second = (_draw_kind(rng, count) for _ in range(2))
    if rng.random() < 0.5:
        return first
    return np.where(rng.random((count, 1)) < 0.5, first, second)


def natural(rng: np.random.Generator, anchors: np.ndarray, count: int) -> np.ndarray:
    """Colours near sRGB-encoded `anchors` [N, 3], linear reflectance [count, 3]."""
    chosen = anchors[rng.integers(len(anchors), size=count)]
    brightness = np.exp(rng.normal(0, 0.15, (count, 1)))
    return _linear(chosen * brightness + rng.normal(0, 0.02, (count, 3)))


def _draw_kind(rng: np.random.Generator, count: int) -> np.ndarray:
    kind = rng.choice(["hues", "natural", "greys", "pastel", "any"], p=[0.25, 0.4, 0.1, 0.1, 0.15])
    if kind == "hues":
        return draw_palette(rng, count)
    if kind == "natural":
        return natural(rng, NATURAL, count)
    if kind == "greys":
        return _linear(rng.uniform(0.15, 0.98, (count, 1)) + rng.normal(0, 0.015, (count, 3)))
    if kind == "pastel":
        return _linear(1 - rng.uniform(0.02, 0.35, (count, 3)))
    return _linear(rng.random((count, 3)))


def _linear(encoded: np.ndarray) -> np.ndarray:
    return clip_to_albedo_range(np.clip(encoded, 0, 1) ** 2.2)
