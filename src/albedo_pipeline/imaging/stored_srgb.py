"""Linear light => stored pixels: the sRGB curve and rounding in one step, exact on any processor.

A stored value is round(65535 sRGB(x)). It rises with x, so it is the number of thresholds up to x:

    thresholds t(k) = sRGB⁻¹((k - ½) / 65535),   k = 1 … 65535

They are rounded up to the next float32 once, from float64, so no power is computed for a pixel, and
the result does not depend on a processor's `pow`. The bits of positive floats, as integers, are in
the order of the floats. The table divides them into buckets of 256 neighbours; above 2⁻²¹, below
which every value is stored as 0, a bucket holds at most one threshold.
"""

from functools import cache

import numpy as np

from albedo_pipeline.imaging.pixels import FULL_SCALE

_LOW_BITS = 8
"""Bits of a float32 that do not choose the bucket."""
_FIRST, _LAST = (int(np.float32(end).view(np.int32)) for end in (2.0**-21, 1.0))


def stored_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear Rec.709, float32 without NaN, any shape => uint16, sRGB-encoded; clipped to [0, 1]."""
    bits = np.clip(np.ascontiguousarray(linear).view(np.int32), _FIRST, _LAST)
    bits -= _FIRST
    stored = _table().take(bits >> _LOW_BITS)
    bits &= (1 << _LOW_BITS) - 1
    stored += bits
    stored >>= _LOW_BITS
    return stored.astype(np.uint16)


@cache
def _table() -> np.ndarray:
    """For each bucket an int32 whose sum with the low bits of a float is 256 times its value.

    The int32 is 256 n + 256 - t. There are n thresholds below the bucket, and t is the place of the
    threshold in it, or 256 without one. So the sum reaches 256 (n + 1) at that threshold.
    """
    thresholds = _thresholds().view(np.int32)
    starts = np.arange(_FIRST, _LAST + 2 * (1 << _LOW_BITS), 1 << _LOW_BITS, dtype=np.int32)
    below = np.searchsorted(thresholds, starts)
    place = np.full(len(starts) - 1, 1 << _LOW_BITS, np.int32)
    holds_one = np.diff(below) == 1
    place[holds_one] = thresholds[below[:-1][holds_one]] - starts[:-1][holds_one]
    return ((below[:-1] + 1 << _LOW_BITS) - place).astype(np.int32)


def _thresholds() -> np.ndarray:
    """The smallest float32 that is stored as k or more, for k = 1 … 65535."""
    encoded = (np.arange(1, FULL_SCALE + 1) - 0.5) / FULL_SCALE
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    nearest = linear.astype(np.float32)
    return np.where(nearest < linear, np.nextafter(nearest, np.float32(2)), nearest)
