"""One object a metric: name, function, direction, colour space."""

from albedo_pipeline.metrics.angular import ANGULAR
from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.delta_e import DELTA_E
from albedo_pipeline.metrics.lmse import LMSE
from albedo_pipeline.metrics.lpips import lpips_metric
from albedo_pipeline.metrics.marigold import MARIGOLD_PSNR, MARIGOLD_SSIM, marigold_lpips_metric
from albedo_pipeline.metrics.psnr import PSNR
from albedo_pipeline.metrics.rmse import RMSE
from albedo_pipeline.metrics.si_mse import SI_MSE, SI_MSE_RGB
from albedo_pipeline.metrics.ssim import SSIM

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
