"""What must not change the result: micro-batches, accumulation, processes."""

import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.training import trainer
from albedo_pipeline.training.optimiser_step import loss_sums
from albedo_pipeline.training.resume import stored_log, stored_state
from tests.support.training import start_torchrun, train_with_torchrun

TWENTY = {
    "max_steps": 20,
    "effective_batch_size": 8,
    "micro_batch_size": 8,
    "noise": {"kind": "multi_resolution"},
    "learning_rate": {"peak": 1e-3, "warmup_steps": 5, "decay_steps": 20},
    "checkpoints": {"every": 20},
}


def run(train, tmp_path: Path, name: str, micro: int, processes: int, **changes) -> Checkpoints:
    """A training of 20 steps, split so."""
    settings = TWENTY | {"micro_batch_size": micro} | changes
    if processes == 1:
        return train(name, **settings).store
    done = train_with_torchrun(tmp_path, name, settings, processes)
    assert done.returncode == 0, done.stderr
    return Checkpoints(tmp_path / name)


def weights(store: Checkpoints) -> torch.Tensor:
    """All weights after the last step, as one vector."""
    tensors = load_file(store.path(20) / "weights.safetensors")
    return torch.cat([tensors[name].flatten() for name in sorted(tensors)]).double()


def losses(store: Checkpoints) -> list[float]:
    """Loss of every step."""
    return [row["loss"] for row in stored_log(store.path(20))]


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Relative to the size of the weights."""
    return float((one - other).norm() / one.norm())


def test_the_split_changes_neither_losses_nor_weights(train, tmp_path: Path) -> None:
    whole = run(train, tmp_path, "whole", 8, 1)
    for micro, processes in ((4, 1), (2, 1), (1, 1), (4, 2), (2, 2)):
        split = run(train, tmp_path, f"{micro}-{processes}", micro, processes)
        where = f"micro-batches of {micro} on {processes} processes"
        assert losses(split) == pytest.approx(losses(whole), rel=1e-5), where
        assert distance(weights(whole), weights(split)) < 1e-5, where


def test_resuming_on_more_and_fewer_processes(train, tmp_path: Path) -> None:
    whole = run(train, tmp_path, "whole", 4, 1)
    for steps, processes in ((7, 1), (13, 2), (20, 1)):
        store = run(train, tmp_path, "cut", 4, processes, max_steps=steps)
    assert stored_state(store.path(20)).step == 20
    assert losses(store) == pytest.approx(losses(whole), rel=1e-5)
    assert distance(weights(whole), weights(store)) < 1e-5


def test_the_mean_of_micro_batch_means_would_fail(
    train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mean_of_means(parts, batches, micro_batches, valid_cells, params):
        total = torch.zeros(9)
        for batch in batches:
            kind = parts.denoiser.scheduler.config.prediction_type
            sums = loss_sums(
                parts.model, batch, parts.alphas_cumprod, parts.text_embedding, kind, params.loss
            )
            loss = sums.sum() / batch.valid.sum() / micro_batches
            loss.backward()
            total[0] += loss.detach()
        return total

    monkeypatch.setattr(trainer, "accumulate", mean_of_means)
    whole, split = (run(train, tmp_path, str(micro), micro, 1) for micro in (8, 2))
    assert losses(split)[0] != pytest.approx(losses(whole)[0], rel=1e-2)
    assert distance(weights(whole), weights(split)) > 1e-3


def test_an_error_reaches_the_user(train, latents, images, tmp_path: Path) -> None:
    odd = TWENTY | {"effective_batch_size": 9, "micro_batch_size": 9}
    done = train_with_torchrun(tmp_path, "run", odd, 2)
    assert done.returncode != 0
    assert "effective_batch_size: 9 cannot be divided evenly" in done.stderr


def test_a_killed_process_ends_all_and_costs_nothing(train, tmp_path: Path) -> None:
    whole = run(train, tmp_path, "whole", 4, 1, checkpoints={"every": 2})
    settings = TWENTY | {"micro_batch_size": 4, "checkpoints": {"every": 2}}
    launcher = start_torchrun(tmp_path, "cut", settings, 2)
    while not list((tmp_path / "cut").glob("step-*")):
        assert launcher.poll() is None, launcher.communicate()
        time.sleep(0.01)
    workers = psutil.Process(launcher.pid).children()
    workers[1].kill()
    assert launcher.wait(timeout=60) != 0
    assert not any(worker.is_running() for worker in workers)
    cut = run(train, tmp_path, "cut", 4, 2, checkpoints={"every": 2})
    assert distance(weights(whole), weights(cut)) < 1e-5
