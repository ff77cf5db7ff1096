"""Angular error of known colours."""

import math

import pytest
import torch

from albedo_pipeline.metrics.image.angular import ANGULAR


def angle(first, second) -> float:
    images = [torch.tensor(colour).view(1, 3, 1, 1) for colour in (first, second)]
    return ANGULAR.function(*images, torch.ones(1, 1, 1, 1, dtype=torch.bool)).item()


@pytest.mark.parametrize(
    ("first", "second", "degrees"),
    [
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 90),
        ((0.5, 0.5, 0.0), (1.0, 0.0, 0.0), 45),
        ((0.3, 0.3, 0.3), (0.0, 0.0, 0.9), 54.735610),  # the cube's diagonal: acos(1 / sqrt(3))
        ((0.1, 0.2, 0.4), (0.2, 0.4, 0.8), 0),
    ],
)
def test_known_angles(first, second, degrees) -> None:
    assert angle(first, second) == pytest.approx(degrees, abs=1e-5)


def test_small_angles_are_exact() -> None:
    assert angle((1.0, 0.0, 0.0), (1.0, 1e-6, 0.0)) == pytest.approx(math.degrees(1e-6), rel=1e-6)


def test_pixels_that_are_black_in_either_image_do_not_count() -> None:
    prediction = torch.tensor([[1.0, 0, 0], [0, 0, 0], [1, 1, 1]]).T.reshape(1, 3, 1, 3)
    truth = torch.tensor([[1.0, 1, 0], [1, 1, 1], [0, 0, 5e-4]]).T.reshape(1, 3, 1, 3)
    valid = torch.ones(1, 1, 1, 3, dtype=torch.bool)
    assert ANGULAR.function(prediction, truth, valid).item() == pytest.approx(45, abs=1e-5)
    assert math.isnan(ANGULAR.function(0 * prediction, truth, valid).item())
