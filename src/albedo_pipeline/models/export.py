"""A trained denoiser and its autoencoder => diffusers' `MarigoldIntrinsicsPipeline`."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from diffusers import AutoencoderKL, MarigoldIntrinsicsPipeline
from transformers import CLIPTextModel, CLIPTokenizer

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.models.autoencoder import factor, with_standard_scale
from albedo_pipeline.models.constant_text_encoder import constant_text_encoder
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.lora import has_lora, merge_lora
from albedo_pipeline.models.reference import Reference
from albedo_pipeline.models.text_embedding import embed_empty_text, load_text_encoder
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.denoiser import PretrainedDenoiser

ALBEDO = {
    "target_names": ["albedo"],
    "albedo": {"prediction_space": "srgb", "up_to_scale": False},
}
"""`target_properties` of an exported pipeline."""


class _Latents(Protocol):
    """The methods of `LatentShards` that are used here."""

    def shapes(self, name: str) -> np.ndarray: ...

    def rows(self, split: str) -> np.ndarray: ...


@dataclass(frozen=True)
class Export:
    """Content of the exported folder."""

    pipeline: MarigoldIntrinsicsPipeline
    """The model, as diffusers saves and opens it."""
    card: str
    """Text of the model card README.md: YAML front matter and markdown."""
    made_from: dict[str, str]
    """Digests of what model and scores were made from, by name."""
    reference: Reference
    """A picture and what the model makes of it, by which a host can be checked."""


def intrinsics_pipeline(
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    text_source: PretrainedModel | None,
    steps: int,
    resolution: int,
) -> MarigoldIntrinsicsPipeline:
    """Build the pipeline in float32, with adapters merged into the weights.

    The latent scale becomes 0.18215; see `with_standard_scale`.

    Args:
        text_source: source of text encoder and tokenizer; None for a denoiser from scratch.
        steps: default number of DDIM steps.
        resolution: default longer side that images are resized to, pixels.

    Raises:
        ProjectError: if the text encoder cannot be loaded, or does not give the embedding that the
            denoiser was trained with.
    """
    encoder, tokenizer = (
        load_text_encoder(text_source)
        if text_source
        else constant_text_encoder(denoiser.text_embedding)
    )
    encoder.float()  # the precision in which diffusers loads it
    _check_text(encoder, tokenizer, denoiser.text_embedding)
    unet = merge_lora(denoiser.unet) if has_lora(denoiser.unet) else denoiser.unet
    vae = with_standard_scale(autoencoder)
    for network in (unet, vae):  # no path of this machine in the export
        network.register_to_config(_name_or_path="")
    return MarigoldIntrinsicsPipeline(
        unet=unet,
        vae=vae,
        scheduler=denoiser.scheduler,
        text_encoder=encoder,
        tokenizer=tokenizer,
        prediction_type="intrinsics",
        target_properties=ALBEDO,
        default_denoising_steps=steps,
        default_processing_resolution=resolution,
    )


def text_source(train_settings: dict) -> PretrainedModel | None:
    """Source of the training's text encoder; None if the training made one.

    Also None for a training that started from an earlier denoiser, of which only the embedding is
    known.

    Raises:
        ProjectError: if the settings do not say.
    """
    if train_settings.get("source") == "scratch" or train_settings.get("start_from"):
        return None
    try:
        return PretrainedDenoiser.model_validate(train_settings["pretrained"])
    except (KeyError, ValueError) as error:
        raise ProjectError(
            f"train_settings: damaged, or from an earlier version ({one_line(error)}); run the "
            "pipeline train again"
        ) from error


def trained_side(latents: _Latents, autoencoder: AutoencoderKL) -> int:
    """Most frequent longer side of the training images, pixels."""
    cells = latents.shapes("beauty")[latents.rows("train"), -2:].max(axis=1)
    sides, counts = np.unique(cells, return_counts=True)
    return factor(autoencoder) * int(sides[counts.argmax()])


def _check_text(
    encoder: CLIPTextModel, tokenizer: CLIPTokenizer, text_embedding: torch.Tensor
) -> None:
    embedded = embed_empty_text(encoder, tokenizer)
    same = embedded.shape == text_embedding.shape
    if not (same and torch.allclose(embedded, text_embedding, atol=1e-5)):
        raise ProjectError(
            "export: the text encoder does not give the text embedding that the denoiser was "
            "trained with; check that train.pretrained.model is unchanged"
        )
