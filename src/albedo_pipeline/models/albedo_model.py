"""A whole albedo estimator: what a folder of diffusers' `MarigoldIntrinsicsPipeline` holds."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, DDIMScheduler, MarigoldIntrinsicsPipeline

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.text_embedding import embed_empty_text
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.provenance.weights import weights_digest

Space = Literal["srgb", "linear"]
"""What the predicted albedo is in: sRGB-encoded or linear."""


@dataclass(frozen=True)
class AlbedoModel:
    """Denoiser and autoencoder, and which of the denoiser's targets is the albedo."""

    denoiser: Denoiser
    """Its UNet's input is cat([beauty latent, `targets` noisy latents])."""
    autoencoder: AutoencoderKL
    targets: int = 1
    """Images that are predicted at once, each a latent of C channels."""
    albedo: int = 0
    """The albedo's place among them."""
    space: Space = "srgb"
    default_steps: int | None = None
    default_resolution: int | None = None
    """Longer side that predictions are best at, pixels; 0: the image's own."""

    def digests(self) -> dict[str, str]:
        """Digests of the weights, by `denoiser` and `autoencoder`."""
        return {
            "denoiser": self.denoiser.digest(),
            "autoencoder": weights_digest(self.autoencoder),
        }


def load_albedo_model(source: PretrainedModel) -> AlbedoModel:
    """An exported folder, or any Marigold intrinsics model of the Hub; safetensors only, float32.

    Raises:
        ProjectError: where it cannot be loaded, predicts no albedo, or samples by another rule
            than DDIM with trailing timesteps; names it.
    """
    try:
        pipeline = MarigoldIntrinsicsPipeline.from_pretrained(
            source.model,
            revision=source.revision,
            use_safetensors=True,
            dtype=torch.float32,
        )
        return _albedo_model(pipeline)
    except Exception as error:  # a damaged folder fails in as many ways as it has parts
        raise ProjectError(f"{source.model}: {one_line(error)}") from error


def _albedo_model(pipeline: MarigoldIntrinsicsPipeline) -> AlbedoModel:
    _check_scheduler(pipeline.scheduler)
    names, properties = _targets(pipeline)
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
        raise ValueError("scheduler: has betas of its own, expected a named beta_schedule")


def _targets(pipeline: MarigoldIntrinsicsPipeline) -> tuple[list[str], dict]:
    """Names of the targets, and what is said of the albedo."""
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
        raise ValueError(f"model_index.json: albedo is predicted in {space!r}")
    return space
