"""Exposure: the one factor by which an HDR beauty image is scaled, before encoding."""

import numpy as np

from albedo_pipeline.imaging.colour import REC709_LUMINANCE, decode_srgb

CCIR601_LUMA = np.array([0.3, 0.59, 0.11], dtype=np.float32)
"""Weights of the brightness in Hypersim's tone mapping."""


def brightness_weights(policy: str) -> np.ndarray:
    """Weights of red, green and blue in the brightness that a policy looks at."""
    return CCIR601_LUMA if policy == "hypersim" else REC709_LUMINANCE


def exposure_factor(
    brightness: np.ndarray,
    valid: np.ndarray,
    policy: str,
    percentile: float,
    target: float,
    stops: float,
) -> float:
    """The factor of the named policy.

    - `percentile`: puts a percentile of the valid pixels' luminance at a given sRGB-encoded value.
    - `hypersim`: the published tone mapping of Hypersim (Roberts et al. 2021): the 90th percentile
      of 0.3 R + 0.59 G + 0.11 B over the valid pixels goes to 0.8 ** 2.2. (What is stored is
      sRGB-encoded all the same, not with its gamma of 2.2.)
    - `fixed`: 2 ** stops.
    - `none`: 1.

    Args:
        brightness: of the linear beauty, [H, W], by `brightness_weights`; is left reordered.
        valid: bool [H, W]; a masked sky or background says nothing of the rest.
        percentile: in (0, 100].
        target: sRGB-encoded value in (0, 1].

    Raises:
        ValueError: where the percentile is not positive (a black image).
    """
    if policy == "percentile":
        anchor = _percentile(brightness, valid, percentile)
        return float(decode_srgb(np.array(target))) / anchor
    if policy == "hypersim":
        return 0.8**2.2 / _percentile(brightness, valid, 90.0)
    return 2.0**stops if policy == "fixed" else 1.0


def _percentile(brightness: np.ndarray, usable: np.ndarray, percentile: float) -> float:
    values = brightness.ravel() if usable.all() else brightness[usable]
    result = _quantile(values, percentile / 100) if values.size else 0.0
    if not result > 0:
        raise ValueError(
            f"beauty is black: percentile {percentile:g} of its luminance is {result:g}"
        )
    return result


def _quantile(values: np.ndarray, share: float) -> float:
    """As `numpy.quantile` with its default method, which takes four times as long, in place."""
    place = share * (values.size - 1)
    below = int(place)
    above = min(below + 1, values.size - 1)
    values.partition((below, above))
    low, high = values[[below, above]].astype(np.float64)
    return float(low + (high - low) * (place - below))
