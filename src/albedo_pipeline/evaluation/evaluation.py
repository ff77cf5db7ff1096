"""The predictions of an evaluation: the project's model and those it is compared with."""

from collections.abc import Iterator

import pandas as pd
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.evaluation.estimators import checkpoint, marigold
from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.evaluation.estimators.network import NetworkEstimator
from albedo_pipeline.evaluation.lineage import check_trained, lineage_of
from albedo_pipeline.evaluation.predictions import predictions, samples_of
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.sampling import Ensemble, Sampling
from albedo_pipeline.provenance.lineage import content_digest
from albedo_pipeline.runtime.device import open_device
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row


def evaluated(
    pairs: PairShards,
    manifest: pd.DataFrame,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    checkpoints: Checkpoints,
    params: EvaluateParams,
) -> tuple[dict[str, str], Iterator[Row]]:
    """The lineage of an evaluation, and its predictions; each model is opened once.

    A row has the prediction and the autoencoder's round trip of a sample, with an ensemble also the
    uncertainty, and the predictions of the models of `compare_with`.

    Raises:
        ProjectError: if the splits have no sample, the parts are of different runs, a model or the
            checkpoint cannot be loaded, or an image that a model gives is not finite.
    """
    samples = samples_of(pairs, manifest, params.splits, "evaluate")
    check_trained(manifest, denoiser, autoencoder)
    context = Context(
        lambda: (denoiser, autoencoder),
        checkpoints,
        open_device(params.device, params.precision),
        params.precision,
        params.compile,
    )
    sampling = {name: getattr(params, name) for name in Sampling.model_fields}
    settings = checkpoint.Settings(checkpoint=params.checkpoint, **sampling)
    own = checkpoint.load(settings, context)
    others = {name: _other(name, sampling, context) for name in params.compare_with}
    lineage = lineage_of(manifest, denoiser, own, others)
    made_from = {"lineage": content_digest(lineage)}
    rows = predictions(pairs, samples, others, own.estimator.images_per_batch, own)
    return lineage, (row | made_from for row in rows)


def _other(name: str, sampling: dict, context: Context) -> NetworkEstimator:
    """A model of `compare_with`, in the number of steps that it is made for."""
    settings = marigold.Settings(model=name, **sampling | {"steps": None})
    model = marigold.model_of(settings)
    if settings.ensemble.kind == "noise" and model.denoiser.ignores_noise:
        settings = settings.model_copy(update={"ensemble": Ensemble()})
    return marigold.opened(model, settings, context)
