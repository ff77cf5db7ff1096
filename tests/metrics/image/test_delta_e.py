"""The mean colour difference, compared with scikit-image."""

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from albedo_pipeline.metrics.image.delta_e import DELTA_E


def test_it_equals_scikit_image_over_the_valid_pixels(noisy_images) -> None:
    prediction, truth, valid = noisy_images(0)
    valid[..., :9] = False
    labs = [rgb2lab(image[0].permute(1, 2, 0).double().numpy()) for image in (prediction, truth)]
    expected = deltaE_ciede2000(*labs)[valid[0, 0].numpy()].mean()
    score = DELTA_E.function(prediction, truth, valid).item()
    assert score == pytest.approx(
        expected, abs=5e-3
    )  # scikit-image has a slightly different white point


def test_black_and_white_differ_by_100() -> None:
    black, white = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    score = DELTA_E.function(black, white, torch.ones(1, 1, 2, 2, dtype=torch.bool)).item()
    assert score == pytest.approx(100, abs=1e-6)


def test_equal_images_score_zero(noisy_images) -> None:
    _, truth, valid = noisy_images(1)
    assert DELTA_E.function(truth, truth, valid).item() == 0


def test_greys_and_primaries_are_finite() -> None:
    """Greys have no hue, and the hues of primaries can be 180° apart."""
    corners = torch.tensor(np.array(np.meshgrid(*[[0.0, 0.5, 1.0]] * 3)).reshape(3, 27))
    first = corners[:, :, None].expand(3, 27, 27)[None]
    second = corners[:, None, :].expand(3, 27, 27)[None]
    for pair in ((first, second), (second, first)):
        score = DELTA_E.function(*pair, torch.ones(1, 1, 27, 27, dtype=torch.bool))
        assert score.isfinite().all()
