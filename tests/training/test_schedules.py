"""Learning rates, checked by hand."""

import pytest

from albedo_pipeline.params.autoencoder_training import ReconstructionLoss
from albedo_pipeline.params.optimisation import LearningRate, Plateau
from albedo_pipeline.training.schedules import (
    PlateauState,
    after_validation,
    learning_rate,
    value_at,
)


def test_an_exponential_decay_with_warm_up_and_final_ratio() -> None:
    params = LearningRate(peak=1.0, warmup_steps=4, decay="exponential", final_ratio=0.01)
    for step, expected in ((0, 0.2), (3, 0.8), (4, 1), (54, 0.1), (104, 0.01)):
        assert learning_rate(params, step, 105) == pytest.approx(expected)


def test_a_cosine_decay_that_ends_before_the_training() -> None:
    params = LearningRate(peak=2.0, warmup_steps=0, decay="cosine", decay_steps=11, final_ratio=0.1)
    for step, expected in ((0, 2), (5, 1.1), (10, 0.2), (99, 0.2)):
        assert learning_rate(params, step, 100) == pytest.approx(expected)


def test_a_plateau_waits_then_reduces_and_finally_ends_the_training() -> None:
    params = Plateau(patience=1, factor=0.5, max_reductions=1, min_delta=0.1)
    state, seen = PlateauState(), []
    for value in (10, 11, 11.05, 11, 12, 12, 12, 12, 12):
        state = after_validation(state, value, higher_is_better=True, params=params)
        seen.append((state.waited, state.reductions, state.ended))
    assert seen == [
        (0, 0, False),
        (0, 0, False),
        (1, 0, False),  # better by less than min_delta
        (0, 1, False),
        (0, 1, False),
        (1, 1, False),
        (0, 1, True),
        (1, 1, True),
        (0, 1, True),
    ]
    rate = LearningRate(peak=1.0, warmup_steps=0, decay="plateau", plateau=params)
    assert learning_rate(rate, 50, 100, state) == 0.5


def test_a_plateau_of_a_metric_that_is_better_when_lower() -> None:
    params = Plateau(patience=0)
    state = PlateauState()
    for value in (3.0, 2.0, 1.0):
        state = after_validation(state, value, higher_is_better=False, params=params)
    assert state == PlateauState(best=1.0)


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.5), (10, 0.5), (12, 0.4), (20, 0.0), (99, 0.0)]
)
def test_a_setting_varies_in_a_straight_line_between_two_steps(step: int, expected: float) -> None:
    assert value_at((10, 0.5, 0.0, 20), step) == pytest.approx(expected)


def test_a_number_stays_as_it_is() -> None:
    assert value_at(0.3, 0) == value_at(0.3, 99) == 0.3


def test_a_setting_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="needs end_step after start_step"):
        ReconstructionLoss(l1_weight=(5, 1.0, 0.0, 5))
