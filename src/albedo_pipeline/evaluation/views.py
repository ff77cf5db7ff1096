"""A batch of images in every colour space that metrics declare."""

import numpy as np
import torch

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.metrics.alignment import align
from albedo_pipeline.metrics.measures import Views


def views(encoded: np.ndarray) -> Views:
    """The images [B, 3, H, W], sRGB-encoded in [0, 1], as `srgb` and as `linear`."""
    return _views(encoded, decode_srgb(encoded))


def aligned_views(estimate: np.ndarray, truth: np.ndarray, valid: torch.Tensor) -> Views:
    """`views` of the estimates, each scaled to its truth by least squares in linear light.

    Args:
        estimate, truth: [B, 3, H, W], sRGB-encoded, in [0, 1].
        valid: bool [B, 1, H, W].
    """
    linear, target = (torch.from_numpy(decode_srgb(images)) for images in (estimate, truth))
    scaled = align(linear, target, valid).numpy()
    return _views(encode_srgb(scaled), scaled)


def _views(encoded: np.ndarray, linear: np.ndarray) -> Views:
    images = {"srgb": encoded, "linear": linear}
    return {space: torch.from_numpy(np.ascontiguousarray(i)) for space, i in images.items()}
