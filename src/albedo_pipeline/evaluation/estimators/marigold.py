"""An exported folder, or any Marigold intrinsics model, by the project's own sampler."""

from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.evaluation.estimators.network import NetworkEstimator, PredictionSettings
from albedo_pipeline.models.albedo_model import AlbedoModel, described, load_albedo_model
from albedo_pipeline.params.base import PretrainedModel


class Settings(PredictionSettings, PretrainedModel):
    """The model, and how it predicts. `bundled` is the estimator that ships with the package."""


def load(settings: Settings, context: Context) -> NetworkEstimator:
    """Load the model.

    Raises:
        ProjectError: if it cannot be loaded.
    """
    return opened(model_of(settings), settings, context)


def model_of(settings: Settings) -> AlbedoModel:
    """The model, on the CPU.

    Raises:
        ProjectError: if it cannot be loaded.
    """
    source = PretrainedModel(model=settings.model, revision=settings.revision)
    return load_albedo_model(source)


def opened(model: AlbedoModel, settings: Settings, context: Context) -> NetworkEstimator:
    """The estimator of a model, which is moved to its device."""
    origin = {"model": described(settings.model), "revision": settings.revision}
    return NetworkEstimator.opened(model, settings, context, origin)
