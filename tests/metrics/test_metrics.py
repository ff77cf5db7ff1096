"""Masked PSNR and SSIM: by hand, against scikit-image, and what masked pixels must not do."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from albedo_pipeline.metrics import METRICS, PSNR, SSIM
from albedo_pipeline.metrics.ssim import similarity_map


def images(seed: int, side: int = 32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    truth = torch.rand(1, 3, side, side, generator=random)
    noise = 0.1 * torch.randn(truth.shape, generator=random)
    return (truth + noise).clamp(0, 1), truth, torch.ones(1, 1, side, side, dtype=torch.bool)


def test_psnr_by_hand() -> None:
    truth = torch.zeros(1, 3, 1, 2)
    prediction = torch.zeros(1, 3, 1, 2)
    prediction[..., 0] = 0.1  # MSE 0.01 over the one valid pixel: 20 dB
    prediction[..., 1] = 0.9
    valid = torch.tensor([[[[True, False]]]])
    assert PSNR.function(prediction, truth, valid).item() == pytest.approx(20, abs=1e-5)


def test_psnr_of_equal_images_is_infinite() -> None:
    _, truth, valid = images(0)
    assert math.isinf(PSNR.function(truth, truth, valid).item())


def test_ssim_is_that_of_scikit_image() -> None:
    """Away from the border, where the two treat the outside differently."""
    prediction, truth, valid = images(1, side=48)
    _, theirs = structural_similarity(
        truth[0].permute(1, 2, 0).double().numpy(),
        prediction[0].permute(1, 2, 0).double().numpy(),
        channel_axis=-1,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    ours = similarity_map(prediction, truth, valid)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours[5:-5, 5:-5], theirs[5:-5, 5:-5], atol=1e-6)


def test_ssim_of_equal_images_is_one() -> None:
    _, truth, valid = images(2)
    assert SSIM.function(truth, truth, valid).item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_what_is_masked_does_not_count(metric) -> None:
    prediction, truth, valid = images(3)
    valid[..., :10] = False
    before = metric.function(prediction, truth, valid)
    spoilt = prediction.clone()
    spoilt[..., :10] = torch.rand(spoilt[..., :10].shape)
    spoilt[..., 0] = float("nan")
    assert torch.equal(before, metric.function(spoilt, truth, valid))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_equal_error_everywhere_scores_alike_whatever_is_masked(metric) -> None:
    """Constant images: zero-filling would raise the score with the masked area."""
    prediction, truth = torch.full((1, 3, 40, 40), 0.6), torch.full((1, 3, 40, 40), 0.5)
    scores = []
    for masked in (0, 10, 25):
        valid = torch.ones(1, 1, 40, 40, dtype=torch.bool)
        valid[..., :masked] = False
        scores.append(metric.function(prediction, truth, valid).item())
    assert np.ptp(scores) < 1e-6


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_nothing_to_judge_is_nan(metric) -> None:
    prediction, truth, valid = images(4)
    assert math.isnan(metric.function(prediction, truth, torch.zeros_like(valid)).item())


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_batch_is_scored_sample_by_sample(metric) -> None:
    a, b = images(5), images(6)
    both = [torch.cat(pair) for pair in zip(a, b, strict=True)]
    alone = torch.cat([metric.function(*a), metric.function(*b)])
    assert torch.allclose(metric.function(*both), alone)
