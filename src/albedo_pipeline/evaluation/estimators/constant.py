"""A grey card: the same value everywhere."""

import numpy as np
from pydantic import Field

from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.evaluation.estimators.fixed_method import FixedMethod
from albedo_pipeline.params.base import Params


class Settings(Params):
    """The grey."""

    value: float = Field(0.5, ge=0, le=1)
    """Its value, sRGB-encoded."""


def load(settings: Settings, context: Context) -> FixedMethod:
    """A card of this value."""
    return FixedMethod.of(
        lambda beauty, truth, valid: np.full_like(beauty, settings.value), "grey card", settings
    )
