"""Exposure: the one factor by which an HDR beauty image is scaled before it is encoded."""

from collections.abc import Callable

import numpy as np

from albedo_pipeline.imaging.colour import decode_srgb, luminance

CCIR601_LUMA = np.array([0.3, 0.59, 0.11], dtype=np.float32)
"""Weights of red, green and blue in Hypersim's tone mapping."""
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
"""Smallest brightness that can be exposed. Smaller float32 numbers lose their precision, and the
factor for them is above the largest float32."""


Brightness = Callable[[np.ndarray], np.ndarray]
"""Linear Rec.709 [..., 3] => brightness [...], float32."""


def brightness_of(policy: str) -> Brightness:
    """The brightness that a policy measures."""
    if policy == "hypersim":
        return _ccir601_luma
    return _brightest_channel if policy == "brightest_channel" else luminance


def _ccir601_luma(linear: np.ndarray) -> np.ndarray:
    return linear @ CCIR601_LUMA


def _brightest_channel(linear: np.ndarray) -> np.ndarray:
    # More than ten times as fast as linear.max(axis=-1).
    return np.maximum(np.maximum(linear[..., 0], linear[..., 1]), linear[..., 2])


def exposure_factor(
    brightness: np.ndarray,
    valid: np.ndarray,
    policy: str,
    percentile: float,
    target: float,
    stops: float,
) -> float:
    """The factor by which the linear beauty is multiplied, by one of five policies.

    - `percentile`: maps a percentile of the valid pixels' luminance to a given sRGB-encoded value.
      Under coloured light, red or blue may be clipped at many more pixels than the luminance is.
    - `brightest_channel`: the same with the brightest of red, green and blue. At most the share
      1 - percentile / 100 of the valid pixels is clipped, whatever the colour of the light.
    - `hypersim`: the published tone mapping of Hypersim (Roberts et al. 2021), which maps the 90th
      percentile of 0.3 R + 0.59 G + 0.11 B of the valid pixels to 0.8 ** 2.2. (The stored image is
      still sRGB-encoded, not encoded with Hypersim's gamma of 2.2.)
    - `fixed`: 2 ** stops.
    - `none`: 1.

    Args:
        brightness: brightness of the linear beauty, as `brightness_of` the policy measures it,
            float32 [H, W]; its values are reordered in place.
        valid: bool [H, W]; a masked sky or background does not influence the exposure.
        policy: `percentile`, `brightest_channel`, `hypersim`, `fixed` or `none`.
        percentile: percentile of the brightness, in (0, 100].
        target: sRGB-encoded value that the percentile becomes, in (0, 1].
        stops: exposure of the policy `fixed`, in stops.

    Raises:
        ValueError: if the percentile is below `SMALLEST_NORMAL` (a black image).
    """
    if policy in ("percentile", "brightest_channel"):
        anchor = _percentile(brightness, valid, percentile)
        return float(decode_srgb(np.array(target))) / anchor
    if policy == "hypersim":
        return 0.8**2.2 / _percentile(brightness, valid, 90.0)
    return 2.0**stops if policy == "fixed" else 1.0


def _percentile(brightness: np.ndarray, valid: np.ndarray, percentile: float) -> float:
    values = brightness.ravel() if valid.all() else brightness[valid]
    result = _quantile(values, percentile / 100) if values.size else 0.0
    if not result >= SMALLEST_NORMAL:
        raise ValueError(
            f"beauty is black: percentile {percentile:g} of its brightness is {result:g}"
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
