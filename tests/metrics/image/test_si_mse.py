"""Scale-invariant MSE of hand-made images, and which changes it ignores."""

import pytest
import torch

from albedo_pipeline.metrics.image.si_mse import SI_MSE, SI_MSE_RGB

TINT = torch.tensor([0.9, 0.5, 0.2]).view(1, 3, 1, 1)


def test_si_mse_of_a_known_error() -> None:
    """Grey 0.2, 0.4 for 0.3, 0.4: s = 0.22 / 0.2 = 1.1, errors -0.08, 0.04, mean square 0.004."""
    prediction = torch.tensor([0.2, 0.4, 0.9]).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    truth = torch.tensor([0.3, 0.4, 0.1]).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    valid = torch.tensor([[[[True, True, False]]]])
    for metric in (SI_MSE, SI_MSE_RGB):
        assert metric.function(prediction, truth, valid).item() == pytest.approx(0.004, abs=1e-8)


def test_a_scale_is_ignored(noisy_images) -> None:
    _, truth, valid = noisy_images(0)
    assert SI_MSE.function(0.3 * truth, truth, valid).item() < 1e-12


def test_only_the_metric_per_channel_ignores_a_tint(noisy_images) -> None:
    _, truth, valid = noisy_images(1)
    assert SI_MSE_RGB.function(TINT * truth, truth, valid).item() < 1e-12
    assert SI_MSE.function(TINT * truth, truth, valid).item() > 0.01


def test_a_black_prediction_scores_the_mean_square_of_the_truth(noisy_images) -> None:
    _, truth, valid = noisy_images(2)
    expected = truth.double().square().mean().item()
    assert SI_MSE.function(0 * truth, truth, valid).item() == pytest.approx(expected)
