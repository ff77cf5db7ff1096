"""Colour: the sRGB transfer function (IEC 61966-2-1), ACEScg and Rec.709 luminance."""

from typing import Literal

import numpy as np

ColourSpace = Literal["linear", "srgb", "acescg"]
"""What a file's numbers mean: linear Rec.709, sRGB-encoded Rec.709, or linear AP1 (ACEScg)."""

ACESCG_TO_REC709 = np.array(
    [
        [1.7050510, -0.6217921, -0.0832589],
        [-0.1302564, 1.1408047, -0.0105483],
        [-0.0240034, -0.1289690, 1.1529723],
    ],
    dtype=np.float32,
)
"""Matrix of linear AP1 (white near D60) => linear Rec.709 (white D65), with Bradford adaptation.

XYZ_to_Rec709 @ Bradford(ACES white => D65) @ AP1_to_XYZ, from the chromaticities published in
SMPTE ST 2065-1, S-2014-004 and ITU-R BT.709. A test derives the matrix from them.
"""

REC709_TO_ACESCG = np.linalg.inv(ACESCG_TO_REC709.astype(np.float64)).astype(np.float32)
"""Matrix of linear Rec.709 (white D65) => linear AP1 (white near D60)."""

REC709_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Weights of linear red, green and blue in the luminance (ITU-R BT.709)."""


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear Rec.709 in [0, 1] => sRGB-encoded in [0, 1]; any shape, float32."""
    linear = np.asarray(linear, dtype=np.float32)
    encoded = np.power(np.maximum(linear, np.float32(0.0031308)), np.float32(1 / 2.4))
    encoded *= np.float32(1.055)
    encoded -= np.float32(0.055)
    dark = linear <= np.float32(0.0031308)
    if dark.any():
        np.copyto(encoded, np.float32(12.92) * linear, where=dark)
    return encoded


def decode_srgb(encoded: np.ndarray) -> np.ndarray:
    """sRGB-encoded in [0, 1] => linear Rec.709 in [0, 1]; any shape, float32."""
    encoded = np.asarray(encoded, dtype=np.float32)
    curve = np.power((np.maximum(encoded, 0.04045) + 0.055) / 1.055, 2.4)
    return np.where(encoded <= 0.04045, encoded / 12.92, curve)


def to_linear(pixels: np.ndarray, space: ColourSpace) -> np.ndarray:
    """Pixels [..., 3] in `space` => linear Rec.709, float32; linear float32 is not copied.

    ACEScg colours outside Rec.709 get negative channels.

    Raises:
        ValueError: if there is no such colour space.
    """
    if space == "linear":
        return np.asarray(pixels, dtype=np.float32)
    if space == "srgb":
        return decode_srgb(pixels)
    if space == "acescg":
        return np.asarray(pixels, dtype=np.float32) @ ACESCG_TO_REC709.T
    raise ValueError(f"{space!r} is not a colour space")


def from_linear(linear: np.ndarray, space: ColourSpace) -> np.ndarray:
    """Linear Rec.709 [..., 3] => pixels in `space`, float32; linear float32 is not copied.

    Raises:
        ValueError: if there is no such colour space.
    """
    if space == "linear":
        return np.asarray(linear, dtype=np.float32)
    if space == "srgb":
        return encode_srgb(linear)
    if space == "acescg":
        return np.asarray(linear, dtype=np.float32) @ REC709_TO_ACESCG.T
    raise ValueError(f"{space!r} is not a colour space")


def luminance(linear: np.ndarray) -> np.ndarray:
    """Linear Rec.709 [..., 3] => relative luminance [...]."""
    return linear @ REC709_LUMINANCE
