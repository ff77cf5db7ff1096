"""Pixels whose target is no albedo, such as those of glass, mirrors, light sources and metal."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour import to_linear
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.resize import strips


@dataclass(frozen=True)
class TargetRules:
    """Which values of a target are no albedo. All values are linear Rec.709."""

    max_albedo: float | None = None
    """Largest channel of an albedo; None: any."""
    black_albedo: float | None = None
    """Brightest channel up to which a target is black; None: black targets are albedo, too."""
    bright_beauty: float = 0.1
    """Brightness of the exposed beauty above which a black target is no albedo."""


ALL_TARGETS = TargetRules()
"""No target is masked."""


def target_masks(
    albedo: Image, brightness: np.ndarray, exposure: float, rules: TargetRules
) -> dict[str, np.ndarray]:
    """Where the target is no albedo, for each rule that is set.

    Args:
        albedo: the target, in its own colour space.
        brightness: brightness of the beauty, linear, not exposed, float32 [H, W].
        exposure: the factor by which the beauty is multiplied.
        rules: which values are no albedo.

    Returns:
        bool [H, W] by rule: `above` (the target is above `max_albedo`) and `black` (it is black,
        but the beauty is bright).
    """
    masks: dict[str, np.ndarray] = {}
    if rules.max_albedo is None and rules.black_albedo is None:
        return masks
    brightest = _brightest_channel(albedo)
    if rules.max_albedo is not None:
        masks["above"] = brightest > rules.max_albedo
    if rules.black_albedo is not None:
        is_bright = brightness > rules.bright_beauty / exposure
        masks["black"] = (brightest <= rules.black_albedo) & is_bright
    return masks


def _brightest_channel(image: Image) -> np.ndarray:
    """Largest of red, green and blue, linear Rec.709, float32 [H, W]."""
    height, width = image.pixels.shape[:2]
    brightest = np.empty((height, width), np.float32)
    for rows in strips(height, width):
        to_linear(image.rows(rows), image.space).max(axis=-1, out=brightest[rows])
    return brightest
