"""Albedo metrics as Marigold's evaluation computes them (Ke et al. 2025, script/iid/eval.py).

They differ from this project's metrics:
- Images are encoded by the power 1 / 2.2, not by sRGB's curve.
- SSIM and LPIPS cover the full image, with 0 at the masked pixels of both images, so the score
  improves with the masked area. PSNR covers the valid pixels.
- SSIM is that of torchmetrics, which reflects the image at its border.

Marigold's Hypersim test (lighting model) has a mask. Its InteriorVerse test (appearance model) has
none: for that, call with all pixels valid. Scores are averaged over images, without any alignment.

The colour space is `linear`, because the power is applied here. If a Marigold checkpoint predicts
images that are already encoded by that power, pass prediction ** 2.2.
"""

import torch
from torch.nn.functional import pad

from albedo_pipeline.metrics.base import MARIGOLD_IID, Metric
from albedo_pipeline.metrics.image.lpips import SMALLEST, Weights, layer_maps, load_weights
from albedo_pipeline.metrics.image.psnr import masked_psnr
from albedo_pipeline.metrics.image.ssim import C1, C2, RADIUS, window_sum
from albedo_pipeline.metrics.masked import masked

GAMMA = 2.2


def marigold_psnr(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """PSNR in dB over the valid pixels of the encoded images; [B]."""
    return masked_psnr(_encode(prediction, valid), _encode(truth, valid), valid)


def marigold_ssim(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """SSIM of torchmetrics (11 x 11 Gaussian, sigma 1.5, range 1) with black masked pixels; [B].

    NaN if nothing is valid (torchmetrics gives 1), or if a side is too short to reflect (below 6).
    """
    if min(valid.shape[-2:]) <= RADIUS:
        return torch.full((len(valid),), torch.nan, dtype=torch.float64)
    x, y = _encode(prediction, valid), _encode(truth, valid)
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = (_blur(x * x) - mean_x**2).clamp_min(0)
    var_y = (_blur(y * y) - mean_y**2).clamp_min(0)
    covariance = _blur(x * y) - mean_x * mean_y
    similar = ((2 * mean_x * mean_y + C1) * (2 * covariance + C2)) / (
        (mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2)
    )
    return _nan_if_nothing_valid(similar.mean(dim=(1, 2, 3)), valid)


@torch.no_grad()
def marigold_lpips(
    weights: Weights, prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """LPIPS (AlexNet) of torchmetrics with black masked pixels; [B].

    The weights file is that of `lpips`. NaN if nothing is valid or a side is below 31 pixels.
    """
    if min(valid.shape[-2:]) < SMALLEST:
        return torch.full((len(valid),), torch.nan, dtype=torch.float64)
    maps = layer_maps(weights, _encode(prediction, valid), _encode(truth, valid))
    means = (m.double().mean(dim=(1, 2, 3)) for m in maps)
    return _nan_if_nothing_valid(sum(means, torch.zeros(())), valid)


def _encode(linear: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    return masked(linear, valid) ** (1 / GAMMA)


def _blur(images: torch.Tensor) -> torch.Tensor:
    """Gaussian mean around every pixel. The border is reflected, its own pixels not repeated."""
    reflected = pad(images, (RADIUS,) * 4, mode="reflect")
    return window_sum(reflected)[..., RADIUS:-RADIUS, RADIUS:-RADIUS]


def _nan_if_nothing_valid(scores: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    return torch.where(valid.any(dim=3).any(dim=2).any(dim=1), scores, torch.nan)


MARIGOLD_PSNR = Metric(
    name="marigold_psnr",
    label="PSNR (Marigold)",
    unit="dB",
    digits=2,
    higher_is_better=True,
    main_order=70,
    function=marigold_psnr,
    colour_space="linear",
    protocol=MARIGOLD_IID,
    order=10,
)
MARIGOLD_SSIM = Metric(
    name="marigold_ssim",
    label="SSIM (Marigold)",
    higher_is_better=True,
    main_order=80,
    function=marigold_ssim,
    colour_space="linear",
    protocol=MARIGOLD_IID,
    order=20,
)
MARIGOLD_LPIPS = Metric(
    name="marigold_lpips",
    label="LPIPS (Marigold)",
    higher_is_better=False,
    main_order=90,
    function=marigold_lpips,
    colour_space="linear",
    protocol=MARIGOLD_IID,
    order=30,
    load_weights=load_weights,
)
