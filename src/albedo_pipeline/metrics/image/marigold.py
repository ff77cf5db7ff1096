"""The albedo numbers as Marigold's evaluation computes them (Ke et al. 2025, script/iid/eval.py).

They differ from ours so: images are encoded by the power 1 / 2.2, not by sRGB's curve; SSIM and
LPIPS judge the whole image with 0 at the masked pixels of both (the more is masked, the better
the score); SSIM is torchmetrics', whose border is reflected. PSNR is over the valid pixels. There,
the Hypersim test (lighting model) has a mask, the InteriorVerse test (appearance model) has none:
for that, call with everything valid. Scores are averaged over images; no scale is aligned.

The colour space is `linear`: the power is applied here. A prediction of a Marigold checkpoint that
is encoded by that power is given as prediction ** 2.2.
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
    """SSIM of torchmetrics (11 x 11 Gaussian, 1.5, range 1) with masked pixels black; [B].

    NaN where nothing is valid (there: 1), and for images too small to reflect (side below 6).
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
    return _judged(similar.mean(dim=(1, 2, 3)), valid)


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
    return _judged(sum(means, torch.zeros(())), valid)


def _encode(linear: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    return masked(linear, valid) ** (1 / GAMMA)


def _blur(images: torch.Tensor) -> torch.Tensor:
    """Gaussian mean around every pixel, the border reflected (its own pixel not repeated)."""
    reflected = pad(images, (RADIUS,) * 4, mode="reflect")
    return window_sum(reflected)[..., RADIUS:-RADIUS, RADIUS:-RADIUS]


def _judged(scores: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
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
