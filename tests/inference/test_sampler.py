"""The sampler: with a perfect denoiser, and compared with diffusers' own loop."""

import pytest
import torch

from albedo_pipeline.inference.sampler import sample_latents
from albedo_pipeline.models.denoiser import Denoiser, new_scheduler, new_unet
from albedo_pipeline.params.denoiser import NoiseSchedule, ScratchDenoiser

SMALL = ScratchDenoiser(
    block_out_channels=(16, 32), attention=(False, True), norm_num_groups=8, text_width=8
)


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    torch.manual_seed(0)
    unet = new_unet(SMALL, 4).eval()
    return Denoiser(unet, new_scheduler(NoiseSchedule()), torch.randn(1, 2, 8))


class Perfect(torch.nn.Module):
    """A UNet that predicts the exact velocity of a known albedo latent at any timestep."""

    def __init__(self, clean: torch.Tensor, alphas_cumprod: torch.Tensor) -> None:
        super().__init__()
        self.clean, self.alphas_cumprod = clean, alphas_cumprod
        self.weight = torch.nn.Parameter(torch.zeros(1))  # the sampler reads its device and type

    def forward(self, x, timestep, text_embedding):
        alpha_cumprod = self.alphas_cumprod[timestep]
        noisy = x[:, x.shape[1] // 2 :]
        signal, sigma = alpha_cumprod.sqrt(), (1 - alpha_cumprod).sqrt()
        noise = (noisy - signal * self.clean) / sigma
        velocity = signal * noise - sigma * self.clean
        return type("Output", (), {"sample": velocity})()


@pytest.mark.parametrize("steps", [1, 2, 4, 10])
def test_a_perfect_denoiser_gives_the_albedo_at_the_lowest_noise(denoiser, steps: int) -> None:
    clean, noise = torch.randn(2, 2, 4, 8, 8)
    alphas_cumprod = denoiser.alphas_cumprod()
    perfect = Denoiser(Perfect(clean, alphas_cumprod), denoiser.scheduler, denoiser.text_embedding)
    result = sample_latents(perfect, torch.zeros_like(clean), noise, steps, "fp32")
    expected = alphas_cumprod[0].sqrt() * clean + (1 - alphas_cumprod[0]).sqrt() * noise
    assert torch.allclose(result, expected, atol=1e-4)


@pytest.mark.parametrize("steps", [1, 4])
def test_the_result_equals_that_of_diffusers_loop(denoiser, steps: int) -> None:
    beauty, noise = torch.randn(2, 2, 4, 8, 8)
    x, scheduler = noise, denoiser.scheduler
    scheduler.set_timesteps(steps)
    with torch.no_grad():
        for timestep in scheduler.timesteps:
            both = torch.cat([beauty, x], dim=1)
            prediction = denoiser.unet(
                both, timestep, denoiser.text_embedding.expand(2, -1, -1)
            ).sample
            x = scheduler.step(prediction, timestep, x).prev_sample
    assert torch.allclose(sample_latents(denoiser, beauty, noise, steps, "fp32"), x, atol=1e-5)
