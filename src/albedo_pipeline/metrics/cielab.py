"""CIELAB (CIE 15:2018) from sRGB, and the CIEDE2000 difference (Sharma, Wu & Dalal 2005)."""

import math

import torch

REC709_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
"""Linear Rec.709 => XYZ, from the primaries and white point (D65, 2° observer) of BT.709."""


def decode_srgb(encoded: torch.Tensor) -> torch.Tensor:
    """sRGB-encoded => linear Rec.709 (IEC 61966-2-1), any shape."""
    curve = ((encoded.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(encoded <= 0.04045, encoded / 12.92, curve)


def linear_to_lab(linear: torch.Tensor) -> torch.Tensor:
    """Linear Rec.709 [N, 3, ...] in [0, 1] => L*, a*, b* float64 of the same shape, white D65.

    The white point is that of the matrix, so every grey has a* = b* = 0.
    """
    matrix = torch.tensor(REC709_TO_XYZ, dtype=torch.float64)
    ratio = torch.einsum(
        "xc,nc...->nx...", matrix / matrix.sum(dim=1, keepdim=True), linear.double()
    )
    delta = 6 / 29
    root = ratio.clamp_min(delta**3) ** (1 / 3)
    f = torch.where(ratio > delta**3, root, ratio / (3 * delta**2) + 4 / 29)
    x, y, z = f.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def ciede2000(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Colour difference of CIELAB colours, [N, 3, ...] => [N, ...], k_L = k_C = k_H = 1.

    Numbers in the comments are the paper's equations. A grey has no hue: if either colour is grey,
    the hue difference is 0 and the mean hue is that of the other colour (eq. 10, 14).
    """
    (l1, a1, b1), (l2, a2, b2) = (colour.unbind(dim=1) for colour in (first, second))
    mean_ab = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2  # 2-3
    one_plus_g = 1.5 - 0.5 * _chroma_weight(mean_ab)  # 4
    a1, a2 = one_plus_g * a1, one_plus_g * a2  # 5
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)  # 6
    h1, h2 = _hue(a1, b1), _hue(a2, b2)  # 7

    grey = c1 * c2 == 0
    d_hue = h2 - h1
    d_hue = d_hue - 360 * (d_hue > 180) + 360 * (d_hue < -180)
    d_hue = torch.where(grey, 0, d_hue)  # 10
    d_l, d_c = l2 - l1, c2 - c1  # 8-9
    d_h = 2 * (c1 * c2).sqrt() * _sin(d_hue / 2)  # 11

    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2  # 12-13
    total = h1 + h2
    wrapped = torch.where(total < 360, total + 360, total - 360)  # the shorter arc crosses 0°
    mean_h = torch.where((h1 - h2).abs() <= 180, total, wrapped) / 2
    mean_h = torch.where(grey, total, mean_h)  # 14

    t = (
        1
        - 0.17 * _cos(mean_h - 30)
        + 0.24 * _cos(2 * mean_h)
        + 0.32 * _cos(3 * mean_h + 6)
        - 0.20 * _cos(4 * mean_h - 63)
    )  # 15
    angle = 30 * torch.exp(-(((mean_h - 275) / 25) ** 2))  # 16
    rotation = -_sin(2 * angle) * 2 * _chroma_weight(mean_c)  # R_T, 17 and 21
    lightness = (mean_l - 50) ** 2
    d_l = d_l / (1 + 0.015 * lightness / (20 + lightness).sqrt())  # divided by S_L, 18
    d_c = d_c / (1 + 0.045 * mean_c)  # divided by S_C, 19
    d_h = d_h / (1 + 0.015 * mean_c * t)  # divided by S_H, 20
    # For equal colours, rounding can make the sum slightly negative.
    return (d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h).clamp_min(0).sqrt()  # 22


def _chroma_weight(chroma: torch.Tensor) -> torch.Tensor:
    """sqrt(C⁷ / (C⁷ + 25⁷))"""
    return (chroma**7 / (chroma**7 + 25.0**7)).sqrt()


def _hue(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Hue angle in degrees, [0, 360); 0 for a grey."""
    return torch.rad2deg(torch.atan2(b, a)) % 360


def _sin(degrees: torch.Tensor) -> torch.Tensor:
    return torch.sin(degrees * (math.pi / 180))


def _cos(degrees: torch.Tensor) -> torch.Tensor:
    return torch.cos(degrees * (math.pi / 180))
