"""Exposure: the one factor by which an HDR beauty image is scaled before it is encoded."""

import numpy as np

from albedo_pipeline.imaging.colour import REC709_LUMINANCE, decode_srgb

CCIR601_LUMA = np.array([0.3, 0.59, 0.11], dtype=np.float32)
"""Weights of red, green and blue in Hypersim's tone mapping."""


def brightness_weights(policy: str) -> np.ndarray:
    """Weights of linear red, green and blue in the brightness that a policy measures."""
    return CCIR601_LUMA if policy == "hypersim" else REC709_LUMINANCE


def exposure_factor(
    brightness: np.ndarray,
    valid: np.ndarray,
    policy: str,
    percentile: float,
    target: float,
    stops: float,
) -> float:
    """The factor by which the linear beauty is multiplied, by one of four policies.

    - `percentile`: maps a percentile of the valid pixels' luminance to a given sRGB-encoded value.
    - `hypersim`: the published tone mapping of Hypersim (Roberts et al. 2021), which maps the 90th
      percentile of 0.3 R + 0.59 G + 0.11 B of the valid pixels to 0.8 ** 2.2. (The stored image is
      still sRGB-encoded, not encoded with Hypersim's gamma of 2.2.)
    - `fixed`: 2 ** stops.
    - `none`: 1.

    Args:
        brightness: brightness of the linear beauty, weighted by `brightness_weights`, float32
            [H, W]; its values are reordered in place.
        valid: bool [H, W]; a masked sky or background does not influence the exposure.
        policy: `percentile`, `hypersim`, `fixed` or `none`.
        percentile: percentile of the brightness, in (0, 100].
        target: sRGB-encoded value that the percentile becomes, in (0, 1].
        stops: exposure of the policy `fixed`, in stops.

    Raises:
        ValueError: if the percentile is not positive (a black image).
    """
    if policy == "percentile":
        anchor = _percentile(brightness, valid, percentile)
        return float(decode_srgb(np.array(target))) / anchor
    if policy == "hypersim":
        return 0.8**2.2 / _percentile(brightness, valid, 90.0)
    return 2.0**stops if policy == "fixed" else 1.0


def _percentile(brightness: np.ndarray, valid: np.ndarray, percentile: float) -> float:
    values = brightness.ravel() if valid.all() else brightness[valid]
    result = _quantile(values, percentile / 100) if values.size else 0.0
    if not result > 0:
        raise ValueError(
            f"beauty is black: percentile {percentile:g} of its luminance is {result:g}"
        )
    return result


def _quantile(values: np.ndarray, share: float) -> float:
    """The quantile by linear interpolation, as `numpy.quantile` gives it in four times the time.

        q = s[k] + (s[k + 1] - s[k]) (p - k),   p = share (n - 1),   k = ⌊p⌋

    s are the n sorted values. Only s[k] and s[k + 1] are needed, so the values are partitioned
    around these two instead of sorted. The array is reordered in place.
    """
    place = share * (values.size - 1)
    below = int(place)
    above = min(below + 1, values.size - 1)
    values.partition((below, above))
    low, high = values[[below, above]].astype(np.float64)
    return float(low + (high - low) * (place - below))
