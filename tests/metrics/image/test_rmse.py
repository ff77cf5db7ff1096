"""Masked RMSE of hand-made images."""

import pytest
import torch

from albedo_pipeline.metrics.image.rmse import RMSE


def test_rmse_of_a_known_error() -> None:
    """Errors 0.3, 0 and 0 in the first pixel, 0.4, 0 and 0 in the second: sqrt(0.25 / 6)."""
    truth = torch.full((1, 3, 1, 3), 0.5)
    prediction = truth.clone()
    prediction[0, 0, 0] = torch.tensor([0.8, 0.1, 1.0])
    valid = torch.tensor([[[[True, True, False]]]])
    score = RMSE.function(prediction, truth, valid).item()
    assert score == pytest.approx((0.25 / 6) ** 0.5, abs=1e-7)
