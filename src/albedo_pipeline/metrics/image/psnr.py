"""Peak signal-to-noise ratio over the valid pixels."""

import torch

from albedo_pipeline.metrics.base import Metric


def masked_psnr(prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """10 log10(1 / MSE) in dB, with the MSE over the channels of the valid pixels; [B].

    Infinite for equal images.
    """
    error = torch.where(valid, (prediction - truth).double(), 0).square()
    count = valid.sum(dim=(1, 2, 3)) * prediction.shape[1]
    return -10 * torch.log10(error.sum(dim=(1, 2, 3)) / count)


PSNR = Metric(
    name="psnr",
    label="PSNR",
    unit="dB",
    digits=2,
    higher_is_better=True,
    main_order=10,
    function=masked_psnr,
    colour_space="srgb",
    order=10,
)
