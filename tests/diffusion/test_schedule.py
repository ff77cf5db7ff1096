"""The noise schedule and the timesteps agree with diffusers' scheduler."""

import pytest
import torch

from albedo_pipeline.diffusion.schedule import alphas_cumprod_from_betas, betas, trailing_timesteps
from tests.support.schedulers import diffusers_scheduler


@pytest.mark.parametrize("kind", ["linear", "scaled_linear", "squaredcos_cap_v2"])
@pytest.mark.parametrize("zero_snr", [True, False])
def test_alphas_cumprod_are_those_of_diffusers(kind: str, zero_snr: bool) -> None:
    theirs = diffusers_scheduler(beta_schedule=kind, rescale_betas_zero_snr=zero_snr).alphas_cumprod
    ours = alphas_cumprod_from_betas(betas(1000, 0.00085, 0.012, kind), zero_snr)
    assert torch.allclose(ours, theirs, atol=2e-6)


def test_with_zero_terminal_snr_the_last_alpha_cumprod_is_exactly_zero() -> None:
    alphas_cumprod = alphas_cumprod_from_betas(betas(1000, 0.00085, 0.012, "scaled_linear"), True)
    assert alphas_cumprod[-1] == 0
    assert alphas_cumprod[0] == pytest.approx(1 - 0.00085, abs=1e-6)
    assert bool((alphas_cumprod[1:] < alphas_cumprod[:-1]).all())


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 10, 50])
def test_trailing_timesteps_are_those_of_diffusers(steps: int) -> None:
    theirs = diffusers_scheduler()
    theirs.set_timesteps(steps)
    assert trailing_timesteps(1000, steps) == theirs.timesteps.tolist()
