"""Scale-invariant mean square error of linear reflectance (Grosse et al. 2009, section 4.1).

The prediction is scaled by least squares over the valid pixels before it is compared. The scaled
prediction is not clipped: after clipping, the scale would no longer be the best one.
"""

import torch

from albedo_pipeline.metrics.alignment import least_squares_channel_scales, least_squares_scale
from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.masked import masked_mean


def masked_si_mse(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """min over s of mean (s prediction - truth)², with one s per image; [B]."""
    return _scaled_mse(prediction, truth, valid, least_squares_scale(prediction, truth, valid))


def masked_si_mse_rgb(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """As `masked_si_mse` with one s per channel, which ignores a global colour cast; [B]."""
    return _scaled_mse(
        prediction, truth, valid, least_squares_channel_scales(prediction, truth, valid)
    )


def _scaled_mse(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    return masked_mean((scale * prediction.double() - truth.double()).square(), valid)


SI_MSE = Metric(
    name="si_mse",
    label="si-MSE",
    digits=4,
    higher_is_better=False,
    function=masked_si_mse,
    colour_space="linear",
    scale_invariant=True,
    order=60,
)
SI_MSE_RGB = Metric(
    name="si_mse_rgb",
    label="si-MSE, by channel",
    digits=4,
    higher_is_better=False,
    function=masked_si_mse_rgb,
    colour_space="linear",
    scale_invariant=True,
    order=70,
)
