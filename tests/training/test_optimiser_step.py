"""One optimiser step: its loss, and what must not change it: the division of the batch."""

import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.params.optimisation import Loss
from albedo_pipeline.training import optimiser_step, task
from albedo_pipeline.training.batches import Batch, Stream, usable
from albedo_pipeline.training.initial_denoiser import initial_denoiser
from albedo_pipeline.training.objectives.diffusion import loss_by_quarter, loss_sums
from albedo_pipeline.training.resume import stored_log, stored_state
from tests.support.training import OBJECTIVES, start_torchrun, train_with_torchrun

TWENTY = {
    "max_steps": 20,
    "effective_batch_size": 8,
    "micro_batch_size": 8,
    "noise": {"kind": "multi_resolution"},
    "learning_rate": {"peak": 1e-3, "warmup_steps": 5, "decay_steps": 20},
    "checkpoints": {"every": 20},
}


def losses(denoiser, batch: Batch, params: Loss = Loss()) -> torch.Tensor:  # noqa: B008 (frozen)
    """Sum of the loss of each sample."""
    return loss_sums(
        denoiser.unet,
        batch,
        denoiser.alphas_cumprod(),
        denoiser.text_embedding,
        "v_prediction",
        params,
    )


def first_batch(latents, params) -> Batch:
    return Stream([usable(latents, "train")], params).batch(0, range(4))


def test_masked_cells_do_not_reach_the_loss(latents, train_params) -> None:
    params = train_params()
    denoiser, batch = initial_denoiser(params, 4), first_batch(latents, params)
    # At t = T - 1 the input does not depend on the albedo, so only the target could.
    last = torch.full_like(batch.timesteps, 999)
    spoilt = torch.where(batch.valid.bool(), batch.albedo, 1e3)
    clean, dirty = (
        losses(denoiser, Batch(batch.beauty, albedo, batch.valid, batch.noise, last))
        for albedo in (batch.albedo, spoilt)
    )
    assert torch.equal(clean, dirty)
    assert clean.isfinite().all()


def test_losses_by_quarter_add_up_to_the_loss(latents, train_params) -> None:
    params = train_params()
    batch = first_batch(latents, params)
    sums = losses(initial_denoiser(params, 4), batch)
    by_quarter, cells = loss_by_quarter(sums, batch, 1000)
    assert by_quarter.sum().item() == pytest.approx(sums.sum().item())
    assert cells.sum() == batch.valid.sum()
    for quarter in range(4):
        members = batch.timesteps // 250 == quarter
        assert by_quarter[quarter].item() == pytest.approx(sums[members].sum().item())


def test_min_snr_weights_each_sample(latents, train_params) -> None:
    params = train_params()
    denoiser, batch = initial_denoiser(params, 4), first_batch(latents, params)
    plain, weighted = (losses(denoiser, batch, Loss(min_snr_gamma=g)) for g in (None, 5.0))
    alpha_cumprod = denoiser.alphas_cumprod()[batch.timesteps]
    snr = alpha_cumprod / (1 - alpha_cumprod)
    assert torch.allclose(weighted, plain * snr.clamp_max(5) / (snr + 1), rtol=1e-5)


def run(train, tmp_path: Path, name: str, micro: int, processes: int, **changes) -> Checkpoints:
    """Train for 20 steps with micro-batches of `micro` samples on `processes` processes."""
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


def loss_curve(store: Checkpoints) -> list[float]:
    """Loss of every step."""
    return [row["loss"] for row in stored_log(store.path(20))]


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Distance of two vectors relative to the length of the first."""
    return float((one - other).norm() / one.norm())


SPLITS = {
    "diffusion": ((4, 1), (2, 1), (1, 1), (4, 2), (2, 2)),
    "diffusion on augmented images": ((1, 1),),
    "end_to_end": ((4, 1), (2, 1)),
    "end_to_end with the decoder": ((2, 2),),
}
"""Samples of a micro-batch and number of processes; a light pair stays in one micro-batch."""


SMOOTH = {"kind": "mse", "gradient_weight": 0.0, "constancy_weight": 0.0}
"""Terms that rounding cannot change: the gradient of an absolute error is its sign. One step with
all terms is tested in `objectives/test_end_to_end.py`."""


@pytest.mark.parametrize(
    "objective",
    [
        pytest.param(name, marks=() if "augmented" in name else pytest.mark.slow)
        for name in OBJECTIVES
    ],
)
def test_the_split_changes_neither_losses_nor_weights(
    train, tmp_path: Path, objective: str
) -> None:
    settings = dict(OBJECTIVES[objective])
    if "end_to_end" in settings:
        settings["end_to_end"] = settings["end_to_end"] | SMOOTH
    whole = run(train, tmp_path, "whole", 8, 1, **settings)
    for micro, processes in SPLITS[objective]:
        split = run(train, tmp_path, f"{micro}-{processes}", micro, processes, **settings)
        division = f"micro-batches of {micro} on {processes} processes"
        # Images that are encoded in the step round by the size of their batch.
        rounding = 1e-4 if "augmented" in objective else 1e-5
        assert loss_curve(split) == pytest.approx(loss_curve(whole), rel=rounding), division
        # The gradient of some biases before a group norm is rounding alone, which Adam enlarges.
        tolerance = max(rounding, 1e-4 if "decoder" in objective else 1e-5)
        assert distance(weights(whole), weights(split)) < tolerance, division


@pytest.mark.slow
def test_a_mean_of_micro_batch_means_would_depend_on_the_split(
    train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: the usual mean of the micro-batches' means does not pass it."""

    def mean_of_means(components, batches, micro_batches, step):
        totals = torch.zeros(2 + 2 * len(components.objective.part_names))
        for batch in batches:
            losses = components.objective.losses(components.model, batch, step)
            mean = losses.total / losses.count / micro_batches
            mean.backward()
            totals += torch.cat([mean.detach()[None], torch.zeros(len(totals) - 1)])
        totals[1] = 1.0
        for weight in components.trained.values():
            weight.grad /= optimiser_step.SCALE  # which `update` takes out again
        return totals

    monkeypatch.setattr(task, "accumulate", mean_of_means)
    whole, split = (run(train, tmp_path, str(micro), micro, 1) for micro in (8, 2))
    assert loss_curve(split)[0] != pytest.approx(loss_curve(whole)[0], rel=1e-2)
    assert distance(weights(whole), weights(split)) > 1e-3


@pytest.mark.slow
def test_resuming_on_more_and_fewer_processes(train, tmp_path: Path) -> None:
    whole = run(train, tmp_path, "whole", 4, 1)
    for steps, processes in ((7, 1), (13, 2), (20, 1)):
        store = run(train, tmp_path, "cut", 4, processes, max_steps=steps)
    assert stored_state(store.path(20)).step == 20
    assert loss_curve(store) == pytest.approx(loss_curve(whole), rel=1e-5)
    assert distance(weights(whole), weights(store)) < 1e-5


@pytest.mark.slow
def test_an_error_in_a_process_reaches_the_user(train, latents, images, tmp_path: Path) -> None:
    odd = TWENTY | {"effective_batch_size": 9, "micro_batch_size": 9}
    done = train_with_torchrun(tmp_path, "run", odd, 2)
    assert done.returncode != 0
    assert "effective_batch_size: 9 cannot be divided evenly" in done.stderr


@pytest.mark.slow
def test_a_killed_process_ends_all_processes_and_no_result_is_lost(train, tmp_path: Path) -> None:
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
