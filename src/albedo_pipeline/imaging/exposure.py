"""Exposure: the one factor by which an HDR beauty image is scaled, before encoding."""

import numpy as np

from albedo_pipeline.imaging.colour import decode_srgb, luminance


def percentile_exposure(beauty: np.ndarray, usable: np.ndarray, percentile: float, target: float):
    """Factor that puts a percentile of the luminance at a given encoded value.

    With percentile 90 and target 0.8 this is the anchor of Hypersim's published tone mapping
    (Roberts et al. 2021), with the sRGB curve in place of its gamma of 2.2.

    Args:
        beauty: linear Rec.709, [H, W, 3].
        usable: bool [H, W], the pixels that count.
        percentile: in (0, 100].
        target: sRGB-encoded value in (0, 1].

    Raises:
        ValueError: where the percentile is not positive (a black image).
    """
    anchor = float(np.percentile(luminance(beauty[usable]), percentile)) if usable.any() else 0.0
    if not anchor > 0:
        raise ValueError(
            f"beauty is black: percentile {percentile:g} of its luminance is {anchor:g}"
        )
    return float(decode_srgb(target)) / anchor


def exposure_factor(
    beauty: np.ndarray,
    usable: np.ndarray,
    policy: str,
    percentile: float,
    target: float,
    stops: float,
) -> float:
    """The factor of the named policy: `percentile`, `fixed` (2 ** stops) or `none` (1)."""
    if policy == "percentile":
        return percentile_exposure(beauty, usable, percentile, target)
    return 2.0**stops if policy == "fixed" else 1.0
