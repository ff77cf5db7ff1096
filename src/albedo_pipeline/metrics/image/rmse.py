"""Root mean square error of linear reflectance over the valid pixels."""

import torch

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.masked import masked_mean


def masked_rmse(prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """sqrt(mean (prediction - truth)²) over the channels of the valid pixels; [B]."""
    return masked_mean((prediction.double() - truth.double()).square(), valid).sqrt()


RMSE = Metric(
    name="rmse",
    label="RMSE",
    higher_is_better=False,
    main_order=40,
    function=masked_rmse,
    colour_space="linear",
    order=30,
)
