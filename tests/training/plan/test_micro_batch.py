"""`train.micro_batch_size: auto`, and what a training logs before its first step."""

import logging
from pathlib import Path

import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.training import denoiser as denoiser_module
from albedo_pipeline.training.plan import micro_batch
from albedo_pipeline.training.plan.estimate import Plan, StepCost
from albedo_pipeline.training.plan.micro_batch import planned_micro_batch_size
from albedo_pipeline.training.plan.networks import Networks

GIB = 2**30
NETWORKS = Networks(unet={}, autoencoder={"latent_channels": 4}, size=(64, 64))


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, train_params, tmp_path: Path):
    """The size that is chosen, if a step takes 10 GiB and 1 GiB a sample."""

    def make_plan(networks, params, device, sizes, checkpointing, last_step, processes) -> Plan:
        peaks = {size: (10 + size) * GIB for size in sizes}
        return Plan(1, 1, GIB, 2, 2 * GIB, (StepCost(False, 1.0, 10 * GIB, peaks),))

    monkeypatch.setattr(micro_batch, "make_plan", make_plan)

    def choose(size: int | str, free: int, processes: int = 1, effective: int = 12) -> int:
        return planned_micro_batch_size(
            NETWORKS,
            train_params(micro_batch_size=size, effective_batch_size=effective),
            device="cuda",
            free_memory=free * GIB,
            processes=processes,
            last_step=3,
            folder=tmp_path / "checkpoints",
        )

    return choose


def test_auto_takes_the_largest_that_fits(chosen) -> None:
    assert chosen("auto", 25) == 12
    assert chosen("auto", 20) == 6  # 16 of 18 GiB
    assert chosen("auto", 25, processes=3) == 4
    assert chosen("auto", 13) == 1


def test_auto_says_if_nothing_fits(chosen) -> None:
    expected = r"train\.micro_batch_size: .* micro-batches of 1 needs 11 GiB, and 12 GiB is free"
    with pytest.raises(ProjectError, match=expected):
        chosen("auto", 12)


def test_a_number_is_kept_with_a_warning_if_it_may_not_fit(chosen, caplog) -> None:
    caplog.set_level(logging.INFO)
    assert chosen(6, 20) == 6
    assert not [r for r in caplog.records if r.levelname == "WARNING"]
    assert chosen(6, 17) == 6
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "lower train.micro_batch_size" in warnings[0]


def test_a_disk_that_is_too_small_is_named(chosen, caplog, monkeypatch) -> None:
    usage = type("usage", (), {"free": GIB})
    monkeypatch.setattr(micro_batch.shutil, "disk_usage", lambda folder: usage)
    chosen(6, 20)
    assert "has room for 1 GiB only" in caplog.text


@pytest.mark.slow
def test_auto_changes_no_result(train, caplog, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(denoiser_module, "share_of_memory", lambda device: 10**12)
    automatic, number = train("auto", micro_batch_size="auto"), train("number", micro_batch_size=4)
    one, two = (trained.denoiser.unet.state_dict() for trained in (automatic, number))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert "micro-batches of 1 " not in caplog.text
    # A step with micro-batches of 1 takes 5.6 MB, of 2 or 4 it takes 6.1 MB; half is usable.
    monkeypatch.setattr(denoiser_module, "share_of_memory", lambda device: 11_600_000)
    divided = train("divided", micro_batch_size="auto")
    assert "micro-batches of 1 " in caplog.text
    losses = [trained.log["loss"].dropna().tolist() for trained in (automatic, divided)]
    assert len(losses[0]) == 3
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
