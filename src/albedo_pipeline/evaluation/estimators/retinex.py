"""Colour Retinex, times the factor that fits the truth best."""

from albedo_pipeline.evaluation.baselines import retinex_best_scale
from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.evaluation.estimators.fixed_method import FixedMethod
from albedo_pipeline.params.evaluate import RetinexParams


class Settings(RetinexParams):
    """The thresholds."""


def load(settings: Settings, context: Context) -> FixedMethod:
    """Retinex with these thresholds; its scale knows the truth."""
    method = retinex_best_scale(settings.intensity_threshold, settings.chroma_threshold)
    return FixedMethod.of(method, "Retinex, best scale", settings)
