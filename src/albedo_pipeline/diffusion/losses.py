"""The masked loss as sums; the training divides them by the valid cells of the effective batch."""

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
    """Error of each sample: mean over channels, then sum over valid cells; float32 [B].

    Args:
        prediction: prediction of the denoiser, [B, C, h, w].
        target: what it should predict, [B, C, h, w].
        valid: [B, 1, h, w], 1 for valid cells; cells with 0 change neither loss nor gradient.
        kind: `mse` (squared error), `l1` (absolute error) or `huber` (Huber 1964: half the squared
            error up to `huber_delta`, linear above).
        huber_delta: error above which `huber` is linear.
    """
    # The mask comes before the square: infinities and NaN must not reach the gradient either.
    error = torch.where(valid.bool(), prediction.float() - target.float(), 0.0)
    if kind == "mse":
        cells = error.square()
    elif kind == "l1":
        cells = error.abs()
    else:
        cells = huber_loss(error, torch.zeros_like(error), reduction="none", delta=huber_delta)
    return cells.mean(dim=1).sum(dim=(1, 2))


def min_snr_weight(alpha_cumprod: torch.Tensor, gamma: float, prediction_type: str) -> torch.Tensor:
    """Min-SNR weight of each sample's loss, shaped as `alpha_cumprod` (Hang et al. 2023, "Efficient
    diffusion training via min-SNR weighting strategy", sec. 3.4 and appendix).

    With SNR = a / (1 - a) and a = alpha-bar, the weight is min(SNR, gamma) for `sample`,
    min(SNR, gamma) / SNR for `epsilon`, and min(SNR, gamma) / (SNR + 1) for `v_prediction`. The
    code multiplies these out in a, so that a = 0 does not divide by zero. At zero SNR the weights
    of `sample` and `v_prediction` are 0, so that timestep is not trained.

    Args:
        alpha_cumprod: alpha-bar of each sample's timestep, in [0, 1).
        gamma: upper bound of the SNR in the weight.
        prediction_type: `sample`, `epsilon` or `v_prediction`.
    """
    noise_variance = 1 - alpha_cumprod
    if prediction_type == "epsilon":
        return torch.where(
            alpha_cumprod <= gamma * noise_variance,
            1.0,
            gamma * noise_variance / alpha_cumprod.clamp_min(1e-12),
        )
    v_weight = torch.minimum(alpha_cumprod, gamma * noise_variance)
    return v_weight if prediction_type == "v_prediction" else v_weight / noise_variance
