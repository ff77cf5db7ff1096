"""A complete albedo estimator, as a folder of a `MarigoldIntrinsicsPipeline` holds it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, DDIMScheduler, MarigoldIntrinsicsPipeline

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.text_embedding import check_tokens, embed_empty_text
from albedo_pipeline.params.base import BUNDLED, PretrainedModel
from albedo_pipeline.provenance.weights import autoencoder_digest, check_complete
from albedo_pipeline.runtime.checksums import verified

BUNDLED_ESTIMATOR = Path(__file__).parent / "bundled" / "estimator"
"""Folder of the estimator that ships with the package; its README is the model card."""
Space = Literal["srgb", "linear"]
"""Colour space of the predicted albedo: sRGB-encoded or linear."""


@dataclass(frozen=True)
class AlbedoModel:
    """Denoiser and autoencoder, and which of the denoiser's targets is the albedo."""

    denoiser: Denoiser
    """Denoiser whose UNet takes cat([beauty latent, `targets` noisy latents])."""
    autoencoder: AutoencoderKL
    """Autoencoder of the latents."""
    targets: int = 1
    """Number of images that are predicted together, each a latent of C channels."""
    albedo: int = 0
    """Place of the albedo among the targets."""
    space: Space = "srgb"
    """Colour space of the predicted albedo."""
    default_steps: int | None = None
    """Number of DDIM steps that the model is made for; None if it does not say."""
    default_resolution: int | None = None
    """Longer side at which the model predicts best, pixels; 0 is the image's own size."""

    def digests(self) -> dict[str, str]:
        """Digests of the weights, by `denoiser` and `autoencoder`."""
        return {
            "denoiser": self.denoiser.digest(),
            "autoencoder": autoencoder_digest(self.autoencoder),
        }


def load_albedo_model(source: PretrainedModel) -> AlbedoModel:
    """Load an exported folder or any Marigold intrinsics model; safetensors only, float32.

    `bundled` is the estimator that ships with the package.

    Raises:
        ProjectError: if it cannot be loaded, predicts no albedo, or has a scheduler other than
            DDIM with trailing timesteps. The message names the model.
    """
    name = str(model_folder(source.model))
    with verified(Path(name)):
        try:
            pipeline = MarigoldIntrinsicsPipeline.from_pretrained(
                name,
                revision=None if source.model == BUNDLED else source.revision,
                use_safetensors=True,
                dtype=torch.float32,
            )
            return _albedo_model(pipeline)
        except Exception as error:  # a damaged folder raises errors of many types
            raise ProjectError(f"{source.model}: {one_line(error)}") from error


def model_folder(model: str) -> Path:
    """Folder of a model; for the id of a model on the Hub, a folder that does not exist."""
    return BUNDLED_ESTIMATOR if model == BUNDLED else Path(model)


def project_model_name(export: Path) -> str:
    """The project's own export if there is one, or else the bundled estimator."""
    return str(export) if export.is_dir() else BUNDLED


def described(model: str) -> str:
    """The name of a model in a sentence: its folder or Hub id, or words for the bundled one."""
    return "the bundled estimator" if model == BUNDLED else model


def _albedo_model(pipeline: MarigoldIntrinsicsPipeline) -> AlbedoModel:
    _check_scheduler(pipeline.scheduler)
    for network in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        check_complete(network)
    names, properties = _targets(pipeline)
    check_tokens(pipeline.text_encoder, pipeline.tokenizer)
    text_embedding = embed_empty_text(pipeline.text_encoder, pipeline.tokenizer)
    return AlbedoModel(
        denoiser=Denoiser(pipeline.unet.eval(), pipeline.scheduler, text_embedding),
        autoencoder=pipeline.vae.eval(),
        targets=len(names),
        albedo=names.index("albedo"),
        space=_space(properties),
        default_steps=pipeline.default_denoising_steps,
        default_resolution=pipeline.default_processing_resolution,
    )


def _check_scheduler(scheduler: Any) -> None:
    if not isinstance(scheduler, DDIMScheduler):
        raise ValueError(f"its scheduler is {type(scheduler).__name__}, expected DDIMScheduler")
    config = scheduler.config
    expected = {"timestep_spacing": "trailing", "clip_sample": False, "thresholding": False}
    for key, value in expected.items():
        if config[key] != value:
            raise ValueError(f"scheduler: {key} is {config[key]!r}, expected {value!r}")
    if config.trained_betas is not None:
        raise ValueError("scheduler: has trained_betas, expected a named beta_schedule")


def _targets(pipeline: MarigoldIntrinsicsPipeline) -> tuple[list[str], dict]:
    """Names of the targets, and the properties of the albedo."""
    properties = pipeline.target_properties or {}
    names = properties.get("target_names", ["albedo"])
    if "albedo" not in names:
        raise ValueError(f"model_index.json: predicts {', '.join(names)}, but no albedo")
    if len(names) != pipeline.n_targets:
        raise ValueError(
            f"model_index.json names {len(names)} target(s), but the unet predicts "
            f"{pipeline.n_targets}"
        )
    return names, properties.get("albedo", {})


def _space(properties: dict) -> Space:
    space = properties.get("prediction_space", "srgb")
    if space not in ("srgb", "linear"):
        raise ValueError(
            f"model_index.json: prediction_space of albedo is {space!r}, expected "
            "'srgb' or 'linear'"
        )
    return space
