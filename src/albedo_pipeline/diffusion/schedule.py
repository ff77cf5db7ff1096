"""The noise schedule: the betas, alphas_cumprod and timesteps of the diffusion process."""

import torch


def betas(num_train_timesteps: int, beta_start: float, beta_end: float, kind: str) -> torch.Tensor:
    """Betas: the noise variances of the forward steps, float32 [T].

    `kind` has diffusers' names: `linear`, `scaled_linear` (linear in the square root, Rombach et
    al. 2022), or `squaredcos_cap_v2` (Nichol & Dhariwal 2021, eq. 17; ignores start and end).
    """
    if kind == "linear":
        return torch.linspace(beta_start, beta_end, num_train_timesteps, dtype=torch.float32)
    if kind == "scaled_linear":
        roots = torch.linspace(
            beta_start**0.5, beta_end**0.5, num_train_timesteps, dtype=torch.float32
        )
        return roots**2
    time = torch.arange(num_train_timesteps + 1, dtype=torch.float64) / num_train_timesteps
    alpha_bar = torch.cos((time + 0.008) / 1.008 * torch.pi / 2) ** 2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp_max(0.999).float()


def alphas_cumprod_from_betas(betas: torch.Tensor, zero_terminal_snr: bool) -> torch.Tensor:
    """alpha-bar of every timestep, float32 [T]: the cumulative product of 1 - beta.

    `zero_terminal_snr` rescales it so that the last value is 0: the square roots are shifted and
    scaled so that the first one stays as it is and the last one becomes 0 (Lin et al. 2024, "Common
    diffusion noise schedules and sample steps are flawed", alg. 1).
    """
    alphas_cumprod = torch.cumprod(1 - betas, dim=0)
    if not zero_terminal_snr:
        return alphas_cumprod
    roots = alphas_cumprod.sqrt()
    first, last = roots[0].clone(), roots[-1].clone()
    return ((roots - last) * (first / (first - last))) ** 2


def trailing_timesteps(num_train_timesteps: int, steps: int) -> list[int]:
    """Timesteps of a sampler, from T - 1 down, evenly spaced (Lin et al. 2024, sec. 3.3)."""
    spacing = num_train_timesteps / steps
    return [round(num_train_timesteps - i * spacing) - 1 for i in range(steps)]
