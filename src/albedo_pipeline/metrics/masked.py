"""Sums and means over the valid pixels."""

import torch


def masked(image: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The image [B, C, H, W] in float64, with masked pixels set to 0, even those that are NaN.

    The zeros are neutral in sums; they must not be compared with other values.
    """
    return torch.where(valid, image.double(), 0)


def masked_mean(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Mean over the valid pixels and all channels, [B, C, H, W] => [B]; NaN if none is valid."""
    count = valid.sum(dim=(1, 2, 3)) * values.shape[1]
    return masked(values, valid).sum(dim=(1, 2, 3)) / count
