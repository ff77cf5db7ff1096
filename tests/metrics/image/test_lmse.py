"""LMSE, compared with a loop over windows that uses numpy's least squares, and by hand."""

import math

import numpy as np
import pytest
import torch

from albedo_pipeline.metrics.image.lmse import LMSE


def lmse_window_by_window(prediction, truth, valid) -> float:
    """The definition, as a loop over windows."""
    error = total = 0.0
    _, _, height, width = truth.shape
    for top in range(0, height - 19, 10):
        for left in range(0, width - 19, 10):
            window = (..., slice(top, top + 20), slice(left, left + 20))
            inside = valid[window].expand(1, 3, 20, 20)
            x, y = (image[window][inside].double().numpy() for image in (prediction, truth))
            scale = np.linalg.lstsq(x[:, None], y, rcond=None)[0] if len(x) else 0
            error += np.square(scale * x - y).sum()
            total += np.square(y).sum()
    return error / total


@pytest.mark.parametrize("size", [(20, 20), (47, 64), (30, 20)])
def test_it_equals_the_loop_over_windows(size) -> None:
    random = torch.Generator().manual_seed(0)
    prediction, truth = torch.rand(2, 1, 3, *size, generator=random)
    valid = torch.rand(1, 1, *size, generator=random) < 0.6
    valid[..., :20, :20] &= size != (47, 64)  # a window without a valid pixel
    expected = lmse_window_by_window(prediction, truth, valid)
    assert LMSE.function(prediction, truth, valid).item() == pytest.approx(expected, rel=1e-9)


def test_by_hand_in_an_image_smaller_than_a_window() -> None:
    """One window: 0.2, 0.4 for 0.3, 0.4 has an error of 0.008, of 0.25 in total, per channel."""
    prediction = torch.tensor([0.2, 0.4]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    truth = torch.tensor([0.3, 0.4]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    valid = torch.ones(1, 1, 1, 2, dtype=torch.bool)
    assert LMSE.function(prediction, truth, valid).item() == pytest.approx(0.032, abs=1e-7)


def test_smooth_shading_in_the_prediction_scores_low(noisy_images) -> None:
    """This is the purpose of LMSE: for SI-MSE the same error is large."""
    _, truth, valid = noisy_images(1, side=200)
    shading = torch.linspace(0.1, 1, 200)
    assert LMSE.function(shading * truth, truth, valid).item() < 0.02


def test_a_black_prediction_scores_one(noisy_images) -> None:
    _, truth, valid = noisy_images(2, side=40)
    assert LMSE.function(0 * truth, truth, valid).item() == pytest.approx(1)


def test_border_pixels_outside_all_windows_do_not_count(noisy_images) -> None:
    prediction, truth, valid = noisy_images(3, side=29)
    before = LMSE.function(prediction, truth, valid)
    prediction[..., 20:] = 0
    assert torch.equal(LMSE.function(prediction, truth, valid), before)
    valid[..., :20, :20] = False
    assert math.isnan(LMSE.function(prediction, truth, valid).item())
