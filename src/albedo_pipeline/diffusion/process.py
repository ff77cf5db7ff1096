"""The diffusion process x_t = sqrt(a) x_0 + sqrt(1 - a) noise.

In all formulas a is `alpha_cumprod`: alpha-bar of timestep t, in [0, 1], in a shape that broadcasts
against the latents, such as [B, 1, 1, 1] or a scalar tensor.
"""

import torch


def add_noise(
    clean: torch.Tensor, noise: torch.Tensor, alpha_cumprod: torch.Tensor
) -> torch.Tensor:
    """The noisy x_t of a clean x_0 (Ho et al. 2020, eq. 4), in the shape of `clean`."""
    return alpha_cumprod.sqrt() * clean + (1 - alpha_cumprod).sqrt() * noise


def training_target(
    clean: torch.Tensor, noise: torch.Tensor, alpha_cumprod: torch.Tensor, prediction_type: str
) -> torch.Tensor:
    """What the denoiser should predict, in the shape of `clean`.

    `sample` is x_0, `epsilon` is the noise, and `v_prediction` is
    v = sqrt(a) noise - sqrt(1 - a) x_0 (Salimans & Ho 2022, app. D).
    """
    if prediction_type == "sample":
        return clean
    if prediction_type == "epsilon":
        return noise
    return alpha_cumprod.sqrt() * noise - (1 - alpha_cumprod).sqrt() * clean


def split_prediction(
    prediction: torch.Tensor, noisy: torch.Tensor, alpha_cumprod: torch.Tensor, prediction_type: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """The estimates of x_0 and of the noise that follow from the denoiser's prediction.

    They solve x_t = sqrt(a) x_0 + sqrt(1 - a) noise together with the definition of the prediction
    in `training_target`. `sample` needs a < 1, and `epsilon` needs a > 0.

    Args:
        prediction: output of the denoiser for `noisy`.
        noisy: x_t, in the shape of `prediction`.
        alpha_cumprod: a of timestep t.
        prediction_type: `sample`, `epsilon` or `v_prediction`.
    """
    signal_scale, noise_scale = alpha_cumprod.sqrt(), (1 - alpha_cumprod).sqrt()
    if prediction_type == "sample":
        return prediction, (noisy - signal_scale * prediction) / noise_scale
    if prediction_type == "epsilon":
        return (noisy - noise_scale * prediction) / signal_scale, prediction
    clean = signal_scale * noisy - noise_scale * prediction
    return clean, signal_scale * prediction + noise_scale * noisy


def ddim_step(
    clean: torch.Tensor, noise: torch.Tensor, next_alpha_cumprod: torch.Tensor
) -> torch.Tensor:
    """The less noisy x of the next timestep, from estimates of x_0 and of the noise.

    This is DDIM (Song et al. 2021, eq. 12) with sigma = 0; `next_alpha_cumprod` is a of the next
    timestep.
    """
    return add_noise(clean, noise, next_alpha_cumprod)
