"""The diffusion process: end points, round trips, and agreement with diffusers' scheduler."""

import pytest
import torch

from albedo_pipeline.diffusion.process import (
    add_noise,
    ddim_step,
    split_prediction,
    training_target,
)
from albedo_pipeline.diffusion.schedule import trailing_timesteps
from tests.support.schedulers import diffusers_scheduler

CLEAN = torch.tensor([[0.3, -1.2], [0.0, 2.0]])
NOISE = torch.tensor([[1.0, 0.5], [-0.7, 0.1]])


def test_add_noise_at_both_ends_of_the_schedule() -> None:
    assert torch.equal(add_noise(CLEAN, NOISE, torch.tensor(1.0)), CLEAN)
    assert torch.equal(add_noise(CLEAN, NOISE, torch.tensor(0.0)), NOISE)


def test_v_prediction_by_hand() -> None:
    # a = 0.36: sqrt(a) = 0.6, sqrt(1 - a) = 0.8; v = 0.6 * 1.0 - 0.8 * 0.3 = 0.36
    v = training_target(CLEAN, NOISE, torch.tensor(0.36), "v_prediction")
    assert v[0, 0].item() == pytest.approx(0.36, abs=1e-6)


@pytest.mark.parametrize("kind", ["v_prediction", "epsilon", "sample"])
def test_a_perfect_prediction_gives_back_image_and_noise(kind: str) -> None:
    alpha_cumprod = torch.tensor(0.36)
    noisy = add_noise(CLEAN, NOISE, alpha_cumprod)
    target = training_target(CLEAN, NOISE, alpha_cumprod, kind)
    clean, noise = split_prediction(target, noisy, alpha_cumprod, kind)
    assert torch.allclose(clean, CLEAN, atol=1e-6)
    assert torch.allclose(noise, NOISE, atol=1e-6)


@pytest.mark.parametrize("kind", ["v_prediction", "epsilon", "sample"])
@pytest.mark.parametrize("steps", [1, 4])
def test_ddim_steps_are_those_of_diffusers(kind: str, steps: int) -> None:
    theirs = diffusers_scheduler(prediction_type=kind, rescale_betas_zero_snr=kind != "epsilon")
    theirs.set_timesteps(steps)
    alphas_cumprod = theirs.alphas_cumprod
    random = torch.Generator().manual_seed(0)
    ours = reference = torch.randn(1, 4, 8, 8, generator=random)
    timesteps = trailing_timesteps(1000, steps)
    for timestep, next_timestep in zip(timesteps, [*timesteps[1:], 0], strict=True):
        prediction = torch.randn(1, 4, 8, 8, generator=random)
        clean, noise = split_prediction(prediction, ours, alphas_cumprod[timestep], kind)
        ours = ddim_step(clean, noise, alphas_cumprod[next_timestep])
        reference = theirs.step(prediction, timestep, reference).prev_sample
        assert torch.allclose(ours, reference, atol=1e-5)
