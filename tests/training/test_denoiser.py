"""The training of the denoiser: what may not change it, and that it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.training.batches import draw_batch, usable_rows
from albedo_pipeline.training.denoiser import initial_denoiser, learning_rate, train_denoiser
from albedo_pipeline.training.step import loss_sum


def weights(latents, folder: Path, params) -> dict[str, torch.Tensor]:
    denoiser, _ = train_denoiser(latents, params, SummaryWriter(folder))
    return denoiser.unet.state_dict()


def gradient(latents, params) -> torch.Tensor:
    """Gradient of the first step, accumulated as the loop does."""
    denoiser = initial_denoiser(params, 4)
    batch = draw_batch(latents, usable_rows(latents, "train"), 5, 0, 4, 0.5, 1000)
    cells = batch.valid.sum()
    for start in range(0, 4, params.micro_batch_size):
        part = batch.part(start, start + params.micro_batch_size, torch.device("cpu"))
        loss = loss_sum(denoiser, part, denoiser.levels(), denoiser.condition, "fp32")
        (loss / cells).backward()
    return torch.cat([p.grad.flatten() for p in denoiser.unet.parameters() if p.grad is not None])


def test_the_same_settings_give_the_same_weights_bit_for_bit(
    latents, tmp_path, train_params
) -> None:
    one, two = (weights(latents, tmp_path / name, train_params()) for name in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_another_seed_gives_other_weights(latents, tmp_path, train_params) -> None:
    one, two = (weights(latents, tmp_path / str(s), train_params(seed=s)) for s in (5, 6))
    assert any(not torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("micro", [1, 2])
def test_the_gradient_does_not_depend_on_the_split(latents, micro: int, train_params) -> None:
    whole = gradient(latents, train_params())
    split = gradient(latents, train_params(micro_batch_size=micro))
    assert torch.allclose(whole, split, rtol=1e-4, atol=1e-6)


def test_masked_cells_do_not_reach_the_gradient(latents, train_params) -> None:
    params = train_params()
    denoiser = initial_denoiser(params, 4)
    batch = draw_batch(latents, usable_rows(latents, "train"), 5, 0, 4, 0.5, 1000)
    whole = batch.part(0, 4, torch.device("cpu"))
    before = loss_sum(denoiser, whole, denoiser.levels(), denoiser.condition, "fp32")
    # At t = T - 1 the input holds no trace of the albedo, so only the target could carry it.
    last = torch.full_like(whole.timesteps, 999)
    spoilt = torch.where(whole.valid.bool(), whole.albedo, 1e3)
    clean, dirty = (
        type(whole)(whole.beauty, albedo, whole.valid, whole.noise, last)
        for albedo in (whole.albedo, spoilt)
    )
    losses = [
        loss_sum(denoiser, b, denoiser.levels(), denoiser.condition, "fp32") for b in (clean, dirty)
    ]
    assert torch.equal(*losses)
    assert before.isfinite()


def test_it_learns(latents, tmp_path, train_params) -> None:
    params = train_params(max_steps=120, learning_rate={"peak": 3e-3, "warmup_steps": 5})
    _, log = train_denoiser(latents, params, SummaryWriter(tmp_path))
    assert log["loss"].tail(10).mean() < 0.5 * log["loss"].head(5).mean()


def test_the_log_has_a_row_for_every_period_and_the_rest(latents, tmp_path, train_params) -> None:
    params = train_params(max_steps=5, log_every=2)
    _, log = train_denoiser(latents, params, SummaryWriter(tmp_path))
    assert log["step"].tolist() == [2, 4, 5]
    assert log["epoch"].iloc[-1] == pytest.approx(2.0)
    assert np.isfinite(log.to_numpy()).all()
    assert list(tmp_path.glob("events.*"))


def test_a_loss_that_is_not_finite_stops_the_run(latents, tmp_path, train_params) -> None:
    params = train_params(max_steps=20, learning_rate={"peak": 1e12, "warmup_steps": 0})
    with pytest.raises(ProjectError, match=r"the loss is (nan|inf) at step"):
        train_denoiser(latents, params, SummaryWriter(tmp_path))


def test_learning_rate_warms_up_and_decays(train_params) -> None:
    rate = {"peak": 1.0, "warmup_steps": 4, "decay": "exponential", "final_ratio": 0.01}
    params = train_params(max_steps=105, learning_rate=rate)
    assert learning_rate(params, 0) == pytest.approx(0.2)
    assert learning_rate(params, 4) == 1
    assert learning_rate(params, 54) == pytest.approx(0.1)
    assert learning_rate(params, 104) == pytest.approx(0.01)
