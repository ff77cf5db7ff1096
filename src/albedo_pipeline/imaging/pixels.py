"""Stored pixels (16-bit, sRGB-encoded) and the image contract ([C, H, W], [-1, 1])."""

import numpy as np
import torch

FULL_SCALE = 65535


def quantize(encoded: np.ndarray) -> np.ndarray:
    """sRGB-encoded [H, W, 3] in [0, 1] => uint16 [3, H, W], rounded."""
    levels = np.rint(np.clip(encoded, 0, 1) * np.float32(FULL_SCALE))
    return np.ascontiguousarray(levels.astype(np.uint16).transpose(2, 0, 1))


def to_tensor(stored: np.ndarray) -> torch.Tensor:
    """uint16 [..., 3, H, W] => float32 tensor, sRGB-encoded, in [-1, 1]."""
    return torch.from_numpy(stored.astype(np.float32)) * (2 / FULL_SCALE) - 1


def from_tensor(image: torch.Tensor) -> np.ndarray:
    """Image tensor [..., 3, H, W] in [-1, 1] => float32 array in [0, 1], clipped."""
    return ((image.float() + 1) / 2).clamp(0, 1).cpu().numpy()
