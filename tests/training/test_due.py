"""What is due after a step, and which checkpoints are kept."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from albedo_pipeline.params.optimisation import CheckpointSchedule
from albedo_pipeline.training import trainer
from albedo_pipeline.training.due import (
    Interval,
    checkpoint_is_due,
    counts_for_plateau,
    is_due,
    is_finished,
    kept_steps,
    ranked,
    validation_is_due,
    visualisation_is_due,
)
from albedo_pipeline.training.resume import TrainState
from albedo_pipeline.training.schedules import PlateauState
from tests.support.training import LONG, same


def at(step: int, **changes) -> TrainState:
    return TrainState(run="", step=step, **changes)


def steps_of(is_due_at, *arguments) -> list[int]:
    """Steps from 0 to 7 at which something is due, in a training of seven steps."""
    params = arguments[0]
    return [step for step in range(8) if is_due_at(params, at(step), 7)]


def test_a_period_is_due_at_its_multiples_and_at_the_last_step() -> None:
    assert [step for step in range(1, 8) if is_due(3, step, 7)] == [3, 6, 7]
    assert not any(is_due(None, step, 7) for step in range(8))


@pytest.mark.parametrize(("at_start", "expected"), [(False, [3, 6, 7]), (True, [0, 3, 6, 7])])
def test_validations(train_params, at_start: bool, expected: list[int]) -> None:
    params = train_params(validation={"every": 3, "at_start": at_start})
    assert steps_of(validation_is_due, params) == expected
    assert not validation_is_due(params, at(3, validated=3), 7)
    assert steps_of(validation_is_due, train_params(validation={"at_start": at_start})) == []


def test_visualisations(train_params) -> None:
    params = train_params(visualisation={"every": 3})
    assert steps_of(visualisation_is_due, params) == [3, 6, 7]
    assert not visualisation_is_due(params, at(3, visualised=3), 7)


def test_checkpoints(train_params) -> None:
    params = train_params(checkpoints={"every": 4, "keep_every": 3})
    assert steps_of(checkpoint_is_due, params) == [3, 4, 6, 7]
    assert checkpoint_is_due(params, at(5, best=[(5, 1.0)]), 7)
    assert checkpoint_is_due(params, at(5, plateau=PlateauState(ended=True)), 7)


def test_the_end_is_the_last_step_or_the_end_of_the_plateaus() -> None:
    assert not is_finished(at(6), 7)
    assert is_finished(at(7), 7)
    assert is_finished(replace(at(2), plateau=PlateauState(ended=True)), 7)


def test_the_extra_validation_at_the_end_does_not_count_for_a_plateau(train_params) -> None:
    rate = {"peak": 1e-3, "decay": "plateau"}
    params = train_params(learning_rate=rate, validation={"every": 3, "at_start": True})
    assert [step for step in range(8) if counts_for_plateau(params, step)] == [3, 6]
    assert not counts_for_plateau(train_params(validation={"every": 3}), 3)


@pytest.mark.parametrize(("higher_is_better", "steps"), [(True, [2, 1, 3]), (False, [3, 1, 2])])
def test_checkpoints_are_ranked_and_of_equals_the_earlier_wins(
    higher_is_better: bool, steps: list[int]
) -> None:
    candidates = [(1, 5.0), (2, 9.0), (3, 2.0)]
    assert [step for step, _ in ranked(candidates, higher_is_better)] == steps
    assert ranked([(1, 5.0), (2, 5.0)], higher_is_better)[0] == (1, 5.0)


def test_the_last_the_best_and_every_nth_checkpoint_are_kept() -> None:
    schedule = CheckpointSchedule(keep_last=2, keep_every=4)
    assert kept_steps([1, 2, 4, 5, 8, 9], [2], schedule) == {2, 4, 8, 9}


def test_a_training_keeps_every_nth_checkpoint(train) -> None:
    periods = {"every": 2, "keep_last": 1, "keep_every": 3}
    assert train("run", **LONG | {"checkpoints": periods}).store.steps() == [3, 6, 9, 10]


def test_an_interval_passes_by_the_clock_and_starts_again() -> None:
    seconds = iter([0.0, 89.9, 90.0, 100.0, 189.0, 190.0])
    interval = Interval(1.5, lambda: next(seconds))
    assert [interval.passed(), interval.passed()] == [False, True]
    interval.restart()
    assert [interval.passed(), interval.passed()] == [False, True]
    assert not Interval(None).passed()


def test_checkpoints_by_minutes_do_not_change_the_result(
    train, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty seconds pass at every look at the clock: when it starts, after a step without a
    checkpoint, and when a checkpoint starts it again."""
    plain = train("plain", **LONG | {"checkpoints": {"every": 5, "keep_last": 9}})
    seconds = iter(range(0, 2000, 20))

    def interval(minutes: float | None) -> Interval:
        return Interval(minutes, lambda: float(next(seconds)))

    monkeypatch.setattr(trainer, "Interval", interval)
    schedule = {"every": 5, "every_minutes": 1, "keep_last": 9}
    timed = train("timed", **LONG | {"checkpoints": schedule})
    assert timed.store.steps() == [3, 5, 8, 10]
    assert same(plain.store.path(10), timed.store.path(10))


def test_the_clock_of_the_main_process_decides(train_params, monkeypatch) -> None:
    """The other process asks with False, whatever its own clock says."""
    asked: list[bool] = []
    monkeypatch.setattr(trainer, "any_process", lambda _, flag: asked.append(flag) or flag)
    for is_main in (True, False):
        process = object.__new__(trainer.Trainer)
        seconds = iter([0.0, 60.0])
        process._since_checkpoint = Interval(1.0, lambda times=seconds: next(times))
        accelerator = SimpleNamespace(is_main_process=is_main)
        process.task = SimpleNamespace(accelerator=accelerator)
        process._minutes_have_passed()
    assert asked == [True, False]
