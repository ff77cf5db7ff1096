"""Colour: the sRGB transfer function (IEC 61966-2-1) and Rec.709 luminance."""

import numpy as np

REC709_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Weights of linear red, green, blue (ITU-R BT.709)."""


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear Rec.709 in [0, 1] => sRGB-encoded in [0, 1]; any shape, float32."""
    linear = np.asarray(linear, dtype=np.float32)
    curve = 1.055 * np.power(np.maximum(linear, 0.0031308), 1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curve)


def decode_srgb(encoded: np.ndarray) -> np.ndarray:
    """sRGB-encoded in [0, 1] => linear Rec.709 in [0, 1]; any shape, float32."""
    encoded = np.asarray(encoded, dtype=np.float32)
    curve = np.power((np.maximum(encoded, 0.04045) + 0.055) / 1.055, 2.4)
    return np.where(encoded <= 0.04045, encoded / 12.92, curve)


def luminance(linear: np.ndarray) -> np.ndarray:
    """Linear Rec.709 [..., 3] => relative luminance [...]."""
    return linear @ REC709_LUMINANCE
