"""What a training is made from: checked before it starts, and recorded with its result."""

import logging
from collections.abc import Mapping
from typing import Any

from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.training_loop import weight_settings
from albedo_pipeline.provenance.lineage import (
    check_made_from,
    content_digest,
    manifest_digest,
)
from albedo_pipeline.provenance.weights import autoencoder_digest, encoder_digest
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.validation import ImageData

logger = logging.getLogger(__name__)
_OWN = "latents"
"""Name of the project's own latents; those of other projects are not of its pairs."""


def check_latents(
    latent_sets: Mapping[str, LatentShards], images: ImageData, params: TrainParams
) -> None:
    """Check that the latents to train on are of the autoencoder and the pairs at hand.

    Raises:
        ProjectError: if they are not, or do not say what they are of; names the folder.
    """
    encoder = {"encoder": encoder_digest(images.autoencoder)}
    for name in params.shares():
        if name in latent_sets:  # an unknown name has an error of its own
            latents = latent_sets[name]
            own = {"pairs": manifest_digest(images.manifest)} if name == _OWN else {}
            check_made_from(
                str(latents.folder), latents.made_from(), encoder | own, "the pipeline encode"
            )


def check_start(start_from: str, start: Denoiser, autoencoder: AutoencoderKL) -> None:
    """Check that the denoiser to start from learned the latents of this autoencoder.

    Raises:
        ProjectError: if it says that it learned those of another one.
    """
    learned, here = start.made_from.get("encoder"), encoder_digest(autoencoder)
    if learned is None:
        logger.warning("train.start_from %s: does not say whose latents it learned", start_from)
    elif here not in (learned, start.made_from.get("exported_encoder")):
        raise ProjectError(
            f"train.start_from {start_from}: learned the latents of another autoencoder ({learned} "
            f"there, {here} here); set the autoencoder's source to that one and run the pipelines "
            "autoencoder, encode and train, or start from another denoiser"
        )


def made_from(
    latent_sets: Mapping[str, LatentShards],
    images: ImageData,
    params: TrainParams,
    autoencoder: AutoencoderKL,
    settings: dict[str, Any],
) -> dict[str, str]:
    """Digests of what a denoiser was trained with, by name.

    Args:
        latent_sets: latent shards by name; `params.mixture` says which were used.
        images: the images that the project's own latents were made from.
        autoencoder: the autoencoder of the prediction, which the training returned.
        settings: content of `train_settings.json`: all settings, and the history if there is one.
    """
    digests = {
        "encoder": encoder_digest(autoencoder),
        "autoencoder": autoencoder_digest(autoencoder),
        "train_settings": content_digest(weight_settings(settings)),
    }
    if _OWN in params.shares():
        digests["pairs"] = manifest_digest(images.manifest)
    return digests | {
        name if name == _OWN else f"{_OWN}.{name}": latent_sets[name].fingerprint()
        for name in params.shares()
    }
