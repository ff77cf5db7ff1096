"""The training log: its rows, and the numbers in them."""

import math

import numpy as np
import pytest
import torch

from albedo_pipeline.training.log import StepRecords, StepTimer, TrainingLog, summary, tag

QUARTERS = ("t1of4", "t2of4", "t3of4", "t4of4")


def result(loss: float, skipped: float = 0.0) -> torch.Tensor:
    """Result of a step: its loss lies in the first quarter of the timesteps, over two cells."""
    return torch.tensor([loss, 2, 2 * loss, 0, 0, 0, 2, 0, 0, 0, 10 * loss, skipped])


def test_the_log_has_a_row_for_every_period_and_one_for_the_rest(train, tmp_path) -> None:
    log = train("run", max_steps=5, log_every=2).log
    assert log["step"].tolist() == [2, 4, 5]
    assert log["epoch"].iloc[-1] == pytest.approx(2.0)
    assert np.isfinite(log.drop(columns=[c for c in log if "of4" in c]).to_numpy()).all()
    assert {"waiting_for_data", "peak_memory_gib", "skipped_steps", "grad_norm"} <= set(log)
    assert list((tmp_path / "events").rglob("events.*"))


def test_a_log_point_is_the_mean_of_the_steps_that_were_not_skipped() -> None:
    records = StepRecords([])
    for step, value in enumerate((1.0, math.nan, 4.0)):
        records.add(step, result(value, float(math.isnan(value))))
    assert [record.skipped for record in records.read()] == [False, True, False]
    assert summary(records.take(), QUARTERS) == {"loss": 2.5, "loss_t1of4": 2.5, "grad_norm": 25.0}
    assert summary(records.take(), QUARTERS) == {}


def test_results_that_are_not_yet_logged_survive_a_checkpoint() -> None:
    records = StepRecords([])
    records.add(0, result(1.0))
    records.read()
    resumed = StepRecords(records.state())
    resumed.add(1, result(3.0))
    assert [record.step for record in resumed.read()] == [1]  # the first was read before
    assert summary(resumed.take(), QUARTERS)["loss"] == 2.0


def test_scalars_of_one_step_share_a_row_and_are_tracked_under_their_tag() -> None:
    tracked: list[tuple] = []
    log = TrainingLog(
        [{"step": 1, "loss": 0.5, "validation_psnr": math.nan}],
        lambda scalars, step: tracked.append((step, scalars)),
    )
    log.add(2, "training", {"loss": 0.25})
    log.add(2, "validation", {"psnr": 20.0})
    assert tracked == [(2, {"loss/total": 0.25}), (2, {"validation/psnr": 20.0})]
    table = log.table().set_index("step")
    assert table.loc[2].to_dict() == {"loss": 0.25, "validation_psnr": 20.0}
    assert math.isnan(table.loc[1, "validation_psnr"])


def test_the_timer_yields_all_batches_and_starts_again_after_a_log_point() -> None:
    timer = StepTimer()
    assert list(timer.waiting_for(iter("abc"))) == list("abc")
    timer.steps += 1
    usage = timer.restart(effective_batch_size=4)
    assert usage["samples_per_second"] > 0
    assert 0 <= usage["waiting_for_data"] <= 1
    assert timer.restart(4)["samples_per_second"] == 0


def test_in_the_order_of_the_tags_the_loss_comes_first() -> None:
    names = ("learning_rate", "loss_pixel", "loss", "ema_decay")
    tags = [tag("training", name) for name in names] + [
        tag("validation", "psnr"),
        tag("usage", "x"),
    ]
    assert sorted(tags) == [
        "loss/total",
        "optimiser/ema_decay",
        "optimiser/learning_rate",
        "parts_of_loss/pixel",
        "usage/x",
        "validation/psnr",
    ]
