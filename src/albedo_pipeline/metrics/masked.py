"""Sums over the valid pixels alone."""

import torch


def masked(image: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """[B, C, H, W] => the same in float64 with 0 at the masked pixels, whatever stood there (NaN).

    The zeros are for sums; they are never compared with anything.
    """
    return torch.where(valid, image.double(), 0)


def masked_mean(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Mean over the valid pixels and all channels, [B, C, H, W] => [B]; NaN where none is valid."""
    count = valid.sum(dim=(1, 2, 3)) * values.shape[1]
    return masked(values, valid).sum(dim=(1, 2, 3)) / count
