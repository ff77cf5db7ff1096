"""Nodes of `train`."""

from pathlib import Path

from albedo_pipeline.node_types import (
    AutoencoderKL,
    Checkpoints,
    DataFrame,
    Denoiser,
    LatentShards,
    PairShards,
)
from albedo_pipeline.params import TrainParams


def train(
    latents: LatentShards,
    more_latents: dict[str, LatentShards],
    pairs: PairShards,
    manifest: DataFrame,
    autoencoder: AutoencoderKL,
    params: TrainParams,
    checkpoints: Checkpoints,
    tensorboard: Path,
) -> tuple[Denoiser, AutoencoderKL, DataFrame, dict]:
    """The denoiser and its autoencoder with their averaged (EMA) weights, the log, the settings."""
    from dataclasses import replace

    from albedo_pipeline.provenance.lineage import check_manifest, with_table_digests
    from albedo_pipeline.training.denoiser import train_denoiser
    from albedo_pipeline.training.lineage import check_latents, made_from
    from albedo_pipeline.training.validation import ImageData

    latent_sets = {"latents": latents, **more_latents}
    images = ImageData(pairs, manifest, autoencoder)
    pairs.check_manifest(manifest)
    check_manifest(manifest)
    check_latents(latent_sets, images, params)
    trained = train_denoiser(latent_sets, images, params, checkpoints, tensorboard)
    settings = params.model_dump(mode="json")
    if trained.history:
        settings["history"] = trained.history
    origin = made_from(latent_sets, images, params, trained.autoencoder, settings)
    denoiser = replace(trained.denoiser, made_from=origin)
    log = with_table_digests(trained.log, origin | {"run": trained.run})
    return denoiser, trained.autoencoder, log, settings
