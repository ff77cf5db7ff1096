"""One object a metric: name, function, direction, colour space."""

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.image.angular import ANGULAR
from albedo_pipeline.metrics.image.delta_e import DELTA_E
from albedo_pipeline.metrics.image.lmse import LMSE
from albedo_pipeline.metrics.image.lpips import lpips_metric
from albedo_pipeline.metrics.image.marigold import (
    MARIGOLD_PSNR,
    MARIGOLD_SSIM,
    marigold_lpips_metric,
)
from albedo_pipeline.metrics.image.psnr import PSNR
from albedo_pipeline.metrics.image.rmse import RMSE
from albedo_pipeline.metrics.image.si_mse import SI_MSE, SI_MSE_RGB
from albedo_pipeline.metrics.image.ssim import SSIM

__all__ = [
    "ANGULAR",
    "DELTA_E",
    "LMSE",
    "MARIGOLD_PSNR",
    "MARIGOLD_SSIM",
    "PSNR",
    "RMSE",
    "SI_MSE",
    "SI_MSE_RGB",
    "SSIM",
    "Metric",
    "lpips_metric",
    "marigold_lpips_metric",
]
