"""One object a metric: name, function, direction, colour space."""

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.psnr import PSNR
from albedo_pipeline.metrics.ssim import SSIM

METRICS = (PSNR, SSIM)
"""The metrics of the project's own protocol, in the order of its tables."""

__all__ = ["METRICS", "PSNR", "SSIM", "Metric"]
