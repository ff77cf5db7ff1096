"""PSNR and SSIM, compared with torchmetrics, as an implementation by others."""

import pytest
import torch
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from albedo_pipeline.metrics.image.psnr import PSNR
from albedo_pipeline.metrics.image.ssim import RADIUS, SSIM, similarity_map

SEEDS = (0, 1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_psnr_is_that_of_torchmetrics(noisy_images, seed: int) -> None:
    prediction, truth, valid = noisy_images(seed, side=48)
    expected = peak_signal_noise_ratio(prediction.double(), truth.double(), data_range=1.0)
    assert PSNR.function(prediction, truth, valid).item() == pytest.approx(
        expected.item(), abs=1e-5
    )


def test_masked_psnr_is_that_of_the_valid_pixels(noisy_images) -> None:
    prediction, truth, valid = noisy_images(3, side=48)
    valid[..., 10:30, 5:] = False
    both = (image.double()[valid.expand_as(image)] for image in (prediction, truth))
    expected = peak_signal_noise_ratio(*both, data_range=1.0)
    assert PSNR.function(prediction, truth, valid).item() == pytest.approx(
        expected.item(), abs=1e-5
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_ssim_is_that_of_torchmetrics_away_from_the_border(noisy_images, seed: int) -> None:
    """Closer to the border the two treat pixels outside the image differently: torchmetrics
    mirrors the image, and has no masks."""
    prediction, truth, valid = noisy_images(seed, side=48)
    _, expected = structural_similarity_index_measure(
        prediction.double(), truth.double(), data_range=1.0, return_full_image=True
    )
    inside = (..., slice(RADIUS, -RADIUS), slice(RADIUS, -RADIUS))
    similarity = similarity_map(prediction, truth, valid)
    torch.testing.assert_close(similarity[inside], expected[inside], rtol=0, atol=1e-6)


def test_masked_ssim_is_that_of_torchmetrics_away_from_the_mask(noisy_images) -> None:
    """The border is masked. Windows that do not reach it are as without a mask."""
    prediction, truth, valid = noisy_images(4, side=48)
    _, expected = structural_similarity_index_measure(
        prediction.double(), truth.double(), data_range=1.0, return_full_image=True
    )
    middle = (..., slice(2 * RADIUS, -2 * RADIUS), slice(2 * RADIUS, -2 * RADIUS))
    valid[..., :RADIUS, :] = valid[..., -RADIUS:, :] = False
    valid[..., :RADIUS] = valid[..., -RADIUS:] = False
    similarity = similarity_map(prediction, truth, valid)
    torch.testing.assert_close(similarity[middle], expected[middle], rtol=0, atol=1e-6)
    score = SSIM.function(prediction, truth, valid).item()
    mean = similarity[valid.expand_as(similarity)].mean().item()
    assert score == pytest.approx(mean, abs=1e-12)
