"""What follows from the memory of a step: sizes that fit, and checkpoints on the disk."""

from types import SimpleNamespace

import pytest

from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.optimisation import CheckpointSchedule
from albedo_pipeline.training.plan.estimate import (
    StepCost,
    disk_of,
    fits,
    kept_checkpoints,
    micro_batch_sizes,
    peaks_of,
)
from tests.support.training import END_TO_END, SETTINGS


def settings(**changes) -> TrainParams:
    return TrainParams.model_validate(SETTINGS | {"micro_batch_size": "auto"} | changes)


def test_sizes_divide_the_share_of_a_process() -> None:
    assert micro_batch_sizes(settings(effective_batch_size=12)) == (1, 2, 3, 4, 6, 12)
    assert micro_batch_sizes(settings(effective_batch_size=12), processes=3) == (1, 2, 4)


def test_light_pairs_stay_together() -> None:
    params = settings(effective_batch_size=12, **END_TO_END)
    assert micro_batch_sizes(params) == (2, 4, 6, 12)


def test_peaks_between_two_measured_sizes_are_on_the_straight_line() -> None:
    """The complete share is measured for itself, because its gradients are new."""
    calls = []

    def peak(size: int, *, accumulates: bool) -> int:
        calls.append((size, accumulates))
        return 100 + 10 * size if accumulates else 70 + 10 * size

    training = SimpleNamespace(peak=peak)
    assert peaks_of(training, (1, 2, 4, 8), 8) == {1: 110, 2: 120, 4: 140, 8: 150}
    assert calls == [(8, False), (1, True), (4, True)]
    assert peaks_of(training, (4,), 8) == {4: 140}


def test_the_largest_size_that_fits_leaves_room_for_the_kernels() -> None:
    cost = StepCost(False, 1.0, 50, {1: 90, 2: 180, 4: 360})
    assert cost.largest_fitting(200) == 2
    assert cost.largest_fitting(199) == 1
    assert cost.largest_fitting(99) is None
    assert cost.largest_fitting(200, "cpu") == 1  # half
    assert fits(90, 100, "cuda")
    assert not fits(91, 100, "cuda")


@pytest.mark.parametrize(
    ("schedule", "validation", "expected"),
    [
        ({"every": 10, "keep_last": 2}, {}, 2 + 1),
        ({"every": 10, "keep_last": 2, "keep_best": 3}, {"every": 5}, 2 + 3 + 1),
        # 100, 200 and 300 for good; 290 and 300 are the last
        ({"every": 10, "keep_last": 2, "keep_every": 100}, {}, 4 + 1),
    ],
)
def test_checkpoints_on_the_disk_are_the_kept_ones_and_the_one_being_written(
    schedule: dict, validation: dict, expected: int
) -> None:
    params = settings(max_steps=300, checkpoints=schedule, validation=validation)
    assert kept_checkpoints(params, 300) == expected


@pytest.mark.parametrize(
    ("weights_only", "expected"), [(False, 50), (True, 3 * 10 + 2 * 5)], ids=["complete", "weights"]
)
def test_only_the_newest_checkpoints_are_surely_complete(weights_only: bool, expected: int) -> None:
    """Two newest, one that is being written, and two more."""
    schedule = CheckpointSchedule(keep_last=2, weights_only=weights_only)
    assert disk_of(schedule, 5, complete=10, weights=5) == expected


def test_fewer_checkpoints_than_are_kept_are_complete() -> None:
    assert disk_of(CheckpointSchedule(weights_only=True), 2, complete=10, weights=5) == 20
