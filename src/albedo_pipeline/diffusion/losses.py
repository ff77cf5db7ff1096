"""The masked loss, as sums: dividing is for whoever knows the whole effective batch."""

import torch
from torch.nn.functional import huber_loss

KINDS = ("mse", "l1", "huber")


def masked_loss(
    prediction: torch.Tensor,
    target: torch.Tensor,
    valid: torch.Tensor,
    kind: str = "mse",
    huber_delta: float = 1.0,
) -> torch.Tensor:
    """Sum over a sample's valid cells of the error, mean over channels; float32 [B].

    Args:
        prediction, target: [B, C, h, w].
        valid: [B, 1, h, w], 1 where the cell is valid; nothing passes where it is 0.
        kind: `mse`; `l1`; `huber` (Huber 1964): quadratic / 2 up to `huber_delta`, then linear.
    """
    # Masked before it is squared: what is not finite must not reach the gradient either.
    error = torch.where(valid.bool(), prediction.float() - target.float(), 0.0)
    if kind == "mse":
        cells = error.square()
    elif kind == "l1":
        cells = error.abs()
    else:
        cells = huber_loss(error, torch.zeros_like(error), reduction="none", delta=huber_delta)
    return cells.mean(dim=1).sum(dim=(1, 2))


def min_snr_weight(alpha_cumprod: torch.Tensor, gamma: float, prediction_type: str) -> torch.Tensor:
    """Weight of a timestep's loss (Hang et al. 2023, "Efficient diffusion training via min-SNR
    weighting strategy", sec. 3.4 and app.), shaped as `level`.

    min(SNR, gamma) for `sample`, over SNR for `epsilon`, over SNR + 1 for `v_prediction`, with
    SNR = a / (1 - a); written in a, so that no end of the schedule divides by zero. At zero SNR
    the weights of `sample` and `v_prediction` are 0: that timestep is then not trained.

    Args:
        level: alpha-bar of each sample's timestep, in [0, 1).
    """
    spread = 1 - alpha_cumprod
    if prediction_type == "epsilon":
        return torch.where(
            alpha_cumprod <= gamma * spread, 1.0, gamma * spread / alpha_cumprod.clamp_min(1e-12)
        )
    capped_v = torch.minimum(alpha_cumprod, gamma * spread)
    return capped_v if prediction_type == "v_prediction" else capped_v / spread
