"""Root mean square error of linear reflectance over the valid pixels."""

import torch

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.masked import masked_mean


def masked_rmse(prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """sqrt(mean (prediction - truth)²) over the valid pixels' channels, no alignment; [B]."""
    return masked_mean((prediction.double() - truth.double()).square(), valid).sqrt()


RMSE = Metric("rmse", masked_rmse, higher_is_better=False, colour_space="linear")
