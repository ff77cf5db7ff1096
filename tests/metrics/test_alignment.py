"""Least-squares scales, compared with numpy, and the aligned images."""

import numpy as np
import pytest
import torch

from albedo_pipeline.metrics.alignment import (
    align,
    least_squares_channel_scales,
    least_squares_scale,
)


def test_the_scale_equals_numpys_least_squares(noisy_images) -> None:
    prediction, truth, valid = noisy_images(0)
    valid[..., :7] = False
    inside = valid.expand_as(truth)
    (expected,), *_ = np.linalg.lstsq(
        prediction[inside].double().numpy()[:, None], truth[inside].double().numpy(), rcond=None
    )
    assert least_squares_scale(prediction, truth, valid).item() == pytest.approx(
        expected, abs=1e-12
    )


def test_channel_scales_equal_numpys_least_squares(noisy_images) -> None:
    prediction, truth, valid = noisy_images(1)
    scales = least_squares_channel_scales(prediction, truth, valid).flatten().tolist()
    for channel in range(3):
        (expected,), *_ = np.linalg.lstsq(
            prediction[0, channel].double().reshape(-1, 1).numpy(),
            truth[0, channel].double().flatten().numpy(),
            rcond=None,
        )
        assert scales[channel] == pytest.approx(expected, abs=1e-12)


def test_align_undoes_a_scale(noisy_images) -> None:
    _, truth, valid = noisy_images(2)
    torch.testing.assert_close(align(0.4 * truth, truth, valid), truth)


def test_only_a_scale_per_channel_undoes_a_tint(noisy_images) -> None:
    _, truth, valid = noisy_images(3)
    tint = torch.tensor([0.9, 0.5, 0.2]).view(1, 3, 1, 1)
    scales = least_squares_channel_scales(tint * truth, truth, valid)
    torch.testing.assert_close((scales * tint * truth).to(truth.dtype), truth)
    assert (align(tint * truth, truth, valid) - truth).abs().max() > 0.1


def test_the_aligned_image_is_clipped_to_one(noisy_images) -> None:
    _, truth, valid = noisy_images(4)
    bright = truth.clone()
    bright[..., :4] = 1
    valid[..., :4] = False
    aligned = align(bright, (2 * truth).clamp(0, 1), valid)
    assert aligned.max() == 1


@pytest.mark.parametrize("scale", [least_squares_scale, least_squares_channel_scales])
def test_without_a_unique_scale_the_prediction_is_unchanged(scale, noisy_images) -> None:
    prediction, truth, valid = noisy_images(5)
    nothing = torch.zeros_like(valid)
    assert (scale(prediction, truth, nothing) == 1).all()
    assert (scale(0 * prediction, truth, valid) == 1).all()
    assert torch.equal(align(prediction, truth, nothing), prediction)
    assert torch.equal(align(0 * prediction, truth, valid), 0 * prediction)


def test_masked_pixels_do_not_influence_the_scale(noisy_images) -> None:
    prediction, truth, valid = noisy_images(6)
    valid[..., :10] = False
    before = least_squares_scale(prediction, truth, valid)
    prediction[..., :10] = torch.nan
    assert torch.equal(least_squares_scale(prediction, truth, valid), before)
