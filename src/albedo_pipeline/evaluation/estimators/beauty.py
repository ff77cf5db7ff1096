"""The input as its own albedo, unchanged or at its best exposure."""

from typing import Literal

from albedo_pipeline.evaluation.baselines import BEAUTY, BEAUTY_BEST_SCALE
from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.evaluation.estimators.fixed_method import FixedMethod
from albedo_pipeline.params.base import Params


class Settings(Params):
    """How the input is scaled."""

    scale: Literal["none", "best"] = "none"
    """`best`: times the factor, in linear light, that fits the truth best; it knows the truth."""


def load(settings: Settings, context: Context) -> FixedMethod:
    """The input, scaled as the settings say."""
    method = BEAUTY if settings.scale == "none" else BEAUTY_BEST_SCALE
    return FixedMethod.of(method, "the input", settings)
