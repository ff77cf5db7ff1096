"""Least-squares alignment of a prediction to the truth, in linear light.

A photograph determines albedo only up to one scale, the light's strength; if the light's colour is
unknown too, only up to one scale per channel.
"""

import torch

from albedo_pipeline.metrics.masked import masked


def least_squares_scale(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """For each image the s that minimises sum (s prediction - truth)² over its valid pixels.

    The solution is s = sum (prediction truth) / sum prediction².

    Args:
        prediction, truth: linear, [B, 3, H, W].
        valid: bool, [B, 1, H, W].

    Returns:
        float64 [B, 1, 1, 1]; 1 if s makes no difference (black prediction, no valid pixel).
    """
    return _scale(prediction, truth, valid, (1, 2, 3))


def least_squares_channel_scales(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """As `least_squares_scale`, with one s per channel: float64 [B, 3, 1, 1]."""
    return _scale(prediction, truth, valid, (2, 3))


def align(prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The prediction times its `least_squares_scale`, linear, [B, 3, H, W] in its own dtype.

    Clipped to [0, 1]: metrics expect that range, and no reflectance is above 1.
    """
    scale = least_squares_scale(prediction, truth, valid)
    return (prediction * scale).clamp(0, 1).to(prediction.dtype)


def _scale(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor, dims: tuple[int, ...]
) -> torch.Tensor:
    x, y = masked(prediction, valid), masked(truth, valid)
    power = x.square().sum(dim=dims, keepdim=True)
    product = (x * y).sum(dim=dims, keepdim=True)
    return torch.where(power > 0, product / power, 1)
