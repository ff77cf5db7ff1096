"""The diffusion process: x_t = sqrt(a) x_0 + sqrt(1 - a) noise, a = alpha-bar of t.

Every `level` is a, shaped to broadcast against the latents: [B, 1, 1, 1] or a scalar tensor.
"""

import torch


def add_noise(
    clean: torch.Tensor, noise: torch.Tensor, alpha_cumprod: torch.Tensor
) -> torch.Tensor:
    """x_t (Ho et al. 2020, eq. 4)."""
    return alpha_cumprod.sqrt() * clean + (1 - alpha_cumprod).sqrt() * noise


def training_target(
    clean: torch.Tensor, noise: torch.Tensor, alpha_cumprod: torch.Tensor, prediction_type: str
) -> torch.Tensor:
    """What the denoiser is to predict: `sample`, `epsilon`, or `v_prediction`,
    v = sqrt(a) noise - sqrt(1 - a) x_0 (Salimans & Ho 2022, app. D)."""
    if prediction_type == "sample":
        return clean
    if prediction_type == "epsilon":
        return noise
    return alpha_cumprod.sqrt() * noise - (1 - alpha_cumprod).sqrt() * clean


def split_prediction(
    prediction: torch.Tensor, noisy: torch.Tensor, alpha_cumprod: torch.Tensor, prediction_type: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """The denoiser's prediction at x_t => (x_0, noise). `sample` needs a < 1, `epsilon` a > 0."""
    signal, spread = alpha_cumprod.sqrt(), (1 - alpha_cumprod).sqrt()
    if prediction_type == "sample":
        return prediction, (noisy - signal * prediction) / spread
    if prediction_type == "epsilon":
        return (noisy - spread * prediction) / signal, prediction
    return signal * noisy - spread * prediction, signal * prediction + spread * noisy


def ddim_step(
    clean: torch.Tensor, noise: torch.Tensor, next_alpha_cumprod: torch.Tensor
) -> torch.Tensor:
    """From estimates of x_0 and noise to the next, less noisy x (Song et al. 2021, eq. 12, with
    sigma = 0)."""
    return add_noise(clean, noise, next_alpha_cumprod)
