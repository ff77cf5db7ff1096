"""Stored pixels (16-bit, sRGB-encoded) and image tensors ([C, H, W], sRGB-encoded, [-1, 1])."""

import numpy as np
import torch
from torch.nn.functional import max_pool2d

FULL_SCALE = 65535
"""The stored value of an sRGB-encoded 1."""


def as_float32(pixels: np.ndarray) -> np.ndarray:
    """float16 or float32, any shape => float32; float32 is not copied."""
    # For half floats torch is about thirty times faster than numpy.
    return pixels if pixels.dtype == np.float32 else torch.from_numpy(pixels).float().numpy()


def quantize(encoded: np.ndarray) -> np.ndarray:
    """sRGB-encoded in [0, 1], any shape => uint16, clipped and rounded."""
    return np.rint(np.clip(encoded, 0, 1) * np.float32(FULL_SCALE)).astype(np.uint16)


def dequantize(stored: np.ndarray) -> np.ndarray:
    """uint16, any shape => float32, sRGB-encoded, in [0, 1]."""
    return stored.astype(np.float32) / np.float32(FULL_SCALE)


def to_tensor(stored: np.ndarray) -> torch.Tensor:
    """uint16 [..., 3, H, W] => float32 tensor, sRGB-encoded, in [-1, 1]."""
    return torch.from_numpy(dequantize(stored)) * 2 - 1


def latent_mask(valid: torch.Tensor, factor: int) -> torch.Tensor:
    """[B, 1, H, W] bool => [B, 1, h, w] bool: a cell is valid if all its factor² pixels are."""
    return max_pool2d((~valid).float(), kernel_size=factor) == 0
