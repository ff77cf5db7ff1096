"""Masked images and means of a hand-made image."""

import torch

from albedo_pipeline.metrics.masked import masked, masked_mean

VALUES = torch.tensor([[1.0, torch.nan], [3.0, torch.inf]]).view(1, 2, 1, 2)  # [B, C, H, W]
VALID = torch.tensor([True, False]).view(1, 1, 1, 2)


def test_masked_pixels_become_zero() -> None:
    assert masked(VALUES, VALID).flatten().tolist() == [1, 0, 3, 0]


def test_the_mean_is_over_valid_pixels_and_channels() -> None:
    assert masked_mean(VALUES, VALID).tolist() == [2]
    assert masked_mean(VALUES, torch.zeros_like(VALID)).isnan().all()
