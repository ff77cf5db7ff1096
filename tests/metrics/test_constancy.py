"""Constancy error, compared with numpy's standard deviation, and by hand."""

import math

import numpy as np
import pytest
import torch

from albedo_pipeline.metrics.constancy import constancy_error


def test_two_lights_by_hand() -> None:
    """0.4 and 0.6 have the variance 0.02 / (L - 1) = 0.02."""
    predictions = torch.stack([torch.full((3, 4, 4), value) for value in (0.4, 0.6)])
    valid = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    assert constancy_error(predictions, valid) == pytest.approx(0.02**0.5, abs=1e-7)


def test_it_equals_numpys_unbiased_deviation_over_the_shared_pixels() -> None:
    random = torch.Generator().manual_seed(0)
    predictions = torch.rand(4, 3, 8, 9, generator=random)
    valid = torch.rand(4, 1, 8, 9, generator=random) < 0.8
    shared = valid.all(dim=0)[0].numpy()
    variances = predictions.double().numpy().var(axis=0, ddof=1)[:, shared]
    predictions[~valid.expand_as(predictions)] = torch.nan
    assert constancy_error(predictions, valid) == pytest.approx(math.sqrt(variances.mean()))


def test_equal_predictions_score_zero() -> None:
    predictions = torch.rand(1, 3, 5, 5).expand(3, 3, 5, 5)
    assert constancy_error(predictions, torch.ones(3, 1, 5, 5, dtype=torch.bool)) < 1e-12


def test_it_does_not_depend_on_the_number_of_lights() -> None:
    random = torch.Generator().manual_seed(1)
    errors = []
    for lights in (2, 20):
        predictions = 0.5 + 0.1 * torch.randn(lights, 3, 64, 64, generator=random)
        errors.append(constancy_error(predictions, torch.ones(lights, 1, 64, 64, dtype=torch.bool)))
    np.testing.assert_allclose(errors, 0.1, rtol=0.02)


def test_one_light_or_no_shared_pixel_gives_nan() -> None:
    predictions = torch.rand(2, 3, 1, 2)
    valid = torch.tensor([[True, False], [False, True]]).view(2, 1, 1, 2)
    assert math.isnan(constancy_error(predictions, valid))
    assert math.isnan(constancy_error(predictions[:1], valid[:1]))
