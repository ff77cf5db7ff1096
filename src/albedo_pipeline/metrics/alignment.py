"""Least-squares alignment of a prediction to the truth, in linear light.

Albedo is known from a photograph only up to the light's strength (one scale), or, where the
light's colour is unknown too, up to one scale a channel.
"""

import torch

from albedo_pipeline.metrics.masked import masked


def least_squares_scale(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """The s of each image that minimises sum (s prediction - truth)² over its valid pixels.

    Args:
        prediction, truth: linear, [B, 3, H, W].
        valid: bool, [B, 1, H, W].

    Returns:
        float64 [B, 1, 1, 1]; 1 where every s does alike (black prediction, nothing valid).
    """
    return _scale(prediction, truth, valid, (1, 2, 3))


def least_squares_channel_scales(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """As `best_scale`, one s a channel: float64 [B, 3, 1, 1]."""
    return _scale(prediction, truth, valid, (2, 3))


def align(prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The prediction times its `best_scale`, linear, [B, 3, H, W] in the prediction's dtype.

    Clipped to [0, 1]: the metrics take images of that range, and a reflectance above 1 is none.
    """
    return _scaled(prediction, least_squares_scale(prediction, truth, valid))


def align_channels(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """As `align`, with the `best_channel_scales`."""
    return _scaled(prediction, least_squares_channel_scales(prediction, truth, valid))


def _scale(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor, dims: tuple[int, ...]
) -> torch.Tensor:
    x, y = masked(prediction, valid), masked(truth, valid)
    power = x.square().sum(dim=dims, keepdim=True)
    product = (x * y).sum(dim=dims, keepdim=True)
    return torch.where(power > 0, product / power, 1)


def _scaled(prediction: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return (prediction * scale).clamp(0, 1).to(prediction.dtype)
