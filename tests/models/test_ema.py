"""The moving average, checked by hand and against the paper."""

import pytest
import torch

from albedo_pipeline.models.ema import Ema, constant_decay, power_decay, power_exponent


def test_the_average_by_hand() -> None:
    weight = torch.tensor([1.0])
    ema = Ema([weight])
    weight.fill_(3.0)
    ema.update(0.5)
    assert ema.shadows[0].item() == 2.0
    ema.update(0.5)
    assert ema.shadows[0].item() == 2.5


def test_the_constant_decay_warms_up() -> None:
    assert [round(constant_decay(0.99, step), 4) for step in (0, 8, 10**6)] == [0.1, 0.5, 0.99]


@pytest.mark.parametrize("width", [0.05, 0.1, 0.25])
def test_the_power_profile_has_its_width(width: float) -> None:
    """The weights that the decays give to steps 1 … n have the requested relative width."""
    steps = 4000
    weights = torch.zeros(steps, dtype=torch.float64)
    for step in range(steps):
        decay = power_decay(width, step)
        weights[: step + 1] *= decay
        weights[step] = 1 - decay
    time = torch.arange(1, steps + 1, dtype=torch.float64) / steps
    mean = (weights * time).sum()
    assert weights.sum().item() == pytest.approx(1)
    deviation = (weights * (time - mean) ** 2).sum().sqrt()
    assert deviation.item() == pytest.approx(width, rel=0.01)


def test_the_exponent_of_the_paper() -> None:
    assert power_exponent(0.1) == pytest.approx(6.94, abs=0.01)
    assert power_exponent(0.05) == pytest.approx(16.97, abs=0.01)


def test_averages_are_in_place_only_within_the_context() -> None:
    weight = torch.tensor([1.0])
    ema = Ema([weight])
    weight.fill_(3.0)
    with ema.in_place():
        assert (weight.item(), ema.shadows[0].item()) == (1.0, 3.0)
    assert (weight.item(), ema.shadows[0].item()) == (3.0, 1.0)
