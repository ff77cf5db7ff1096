"""Masked PSNR of hand-made images."""

import math

import pytest
import torch

from albedo_pipeline.metrics.image.psnr import PSNR


def test_psnr_of_a_known_error() -> None:
    truth = torch.zeros(1, 3, 1, 2)
    prediction = torch.zeros(1, 3, 1, 2)
    prediction[..., 0] = 0.1  # MSE 0.01 over the one valid pixel: 20 dB
    prediction[..., 1] = 0.9
    valid = torch.tensor([[[[True, False]]]])
    assert PSNR.function(prediction, truth, valid).item() == pytest.approx(20, abs=1e-5)


def test_equal_images_score_infinity(noisy_images) -> None:
    _, truth, valid = noisy_images(0)
    assert math.isinf(PSNR.function(truth, truth, valid).item())
