"""The predictions of an evaluation: the project's model and those it is compared with."""

from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.artifacts.pair_sets import PairSet
from albedo_pipeline.evaluation.estimators import checkpoint, marigold
from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.evaluation.estimators.network import NetworkEstimator, PredictionSettings
from albedo_pipeline.evaluation.lineage import (
    check_trained,
    lineage_of,
    lineage_of_set,
)
from albedo_pipeline.evaluation.prediction_build import PredictionBuild
from albedo_pipeline.evaluation.predictions import Estimators, Opened, SplitPredictor, samples_of
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.base import OWN_SET
from albedo_pipeline.params.sampling import Ensemble
from albedo_pipeline.provenance.lineage import content_digest
from albedo_pipeline.runtime.device import device_for, open_device

_SAMPLING = {
    "checkpoint",
    "steps",
    "ensemble",
    "reduction",
    "seed",
    "precision",
    "compile",
    "compare_with",
    "splits",
}
"""Settings that a prediction depends on, or that decide the batches; the lineage has the weights
and all pairs."""
_CPU_IMAGES = 4
"""Largest number of images that a core predicts at a time: more need memory and save little."""


def evaluated(
    sets: dict[str, PairSet],
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    checkpoints: Checkpoints,
    params: EvaluateParams,
) -> tuple[dict[str, str], dict[str, PredictionBuild]]:
    """The lineage of an evaluation, and by set the build of its predictions.

    Args:
        sets: what is predicted; the project's own pairs are among them.

    Raises:
        ProjectError: if the splits of a set have no sample, the parts are of different runs, or a
            model or the checkpoint cannot be loaded.
    """
    samples = {
        name: samples_of(*one, params.splits, "evaluate", name) for name, one in sets.items()
    }
    manifest = sets[OWN_SET].manifest
    check_trained(manifest, denoiser, autoencoder)
    device = device_for(params.device, params.precision, params.compute.worker_gpus)
    here = device if params.compute.engine == "local" else torch.device("cpu")
    opener = _Opener(denoiser, autoencoder, checkpoints, params, device)
    estimators = Estimators(opener, opener.opened_on(here))
    own = estimators().own
    assert own is not None
    lineage = lineage_of(manifest, denoiser, own, estimators().others)
    is_cpu, images_per_batch = device.type == "cpu", own.estimator.images_per_batch
    if is_cpu:
        images_per_batch = min(_CPU_IMAGES, images_per_batch)
    settings = params.model_dump_json(include=_SAMPLING)
    parts: tuple[object, ...] = (settings, device.type, images_per_batch, _schedule(denoiser))
    if params.resolution is not None:
        parts += (params.resolution, params.resampling)

    def build(name: str, one: PairSet) -> PredictionBuild:
        of_set = content_digest(lineage_of_set(lineage, one.manifest))
        predictor = SplitPredictor(
            one.pairs,
            estimators,
            images_per_batch,
            of_set,
            "evaluate",
            threads=is_cpu and not params.compile,
        )
        return PredictionBuild(
            one.pairs, samples[name], predictor, "evaluate", params.compute, (of_set, *parts)
        )

    return lineage, {name: build(name, one) for name, one in sets.items()}


@dataclass(frozen=True)
class _Opener:
    """Opens the estimators in the process that predicts."""

    denoiser: Denoiser
    autoencoder: AutoencoderKL
    checkpoints: Checkpoints
    params: EvaluateParams
    device: torch.device

    def __call__(self) -> Opened:
        return self.opened_on(open_device(self.device.type, self.params.precision))

    def opened_on(self, device: torch.device) -> Opened:
        params = self.params
        models = (self.denoiser, self.autoencoder)
        context = Context(
            lambda: models, self.checkpoints, device, params.precision, params.compile
        )
        sampling = {name: getattr(params, name) for name in PredictionSettings.model_fields}
        settings = checkpoint.Settings(checkpoint=params.checkpoint, **sampling)
        own = checkpoint.load(settings, context)
        return Opened({name: _other(name, sampling, context) for name in params.compare_with}, own)


def _other(name: str, sampling: dict, context: Context) -> NetworkEstimator:
    """A model of `compare_with`, in the number of steps that it is made for."""
    settings = marigold.Settings(model=name, **sampling | {"steps": None})
    model = marigold.model_of(settings)
    if settings.ensemble.kind == "noise" and model.denoiser.ignores_noise:
        settings = settings.model_copy(update={"ensemble": Ensemble()})
    return marigold.opened(model, settings, context)


def _schedule(denoiser: Denoiser) -> str:
    return repr(sorted((name, repr(value)) for name, value in denoiser.scheduler.config.items()))
