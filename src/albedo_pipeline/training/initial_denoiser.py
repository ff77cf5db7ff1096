"""The weights that a training starts with: random, pretrained, or those of an earlier denoiser."""

from dataclasses import replace
from pathlib import Path

import torch

from albedo_pipeline.artifacts.models import DenoiserDataset, read_made_from
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.albedo_model import load_albedo_model, model_folder
from albedo_pipeline.models.denoiser import (
    Denoiser,
    ignore_noise,
    load_unet,
    new_scheduler,
    new_unet,
)
from albedo_pipeline.models.loading import refill
from albedo_pipeline.models.lora import add_lora, has_lora, merge_lora
from albedo_pipeline.models.text_embedding import (
    embed_empty_text,
    load_text_encoder,
    new_text_encoder,
)
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.base import BUNDLED, PretrainedModel
from albedo_pipeline.provenance.weights import encoder_digest


def initial_denoiser(params: TrainParams, latent_channels: int) -> Denoiser:
    """The denoiser before the first step.

    It is an earlier denoiser, a pretrained model, or random as a function of the seed.
    """
    torch.manual_seed(params.seed)
    one_step = params.objective == "end_to_end"
    made_from: dict[str, str] = {}
    scheduler = new_scheduler(params.noise_schedule, one_step=one_step)
    if params.start_from is not None:
        start = starting_denoiser(params.start_from, latent_channels)
        predicts = start.scheduler.config.prediction_type
        if predicts != params.noise_schedule.prediction_type:
            raise ProjectError(
                f"train.noise_schedule.prediction_type: {params.noise_schedule.prediction_type!r}, "
                f"but the denoiser of train.start_from was trained with {predicts!r}"
            )
        name = f"train.start_from {params.start_from}"
        unet = refill(start.unet, params.loading, name, "train.loading").train()
        text_embedding = start.text_embedding
        made_from = start.made_from
    elif params.source == "pretrained":
        assert params.pretrained is not None  # checked by TrainParams
        unet = load_unet(params.pretrained, latent_channels, params.loading)
        text_embedding = embed_empty_text(*load_text_encoder(params.pretrained))
    else:
        unet = new_unet(params.scratch, latent_channels)
        text_embedding = embed_empty_text(*new_text_encoder(params.scratch.text_width))
    if one_step:
        ignore_noise(unet)
    if params.lora:
        unet = add_lora(unet.requires_grad_(False), params.lora)
    return Denoiser(unet, scheduler, text_embedding, made_from)


def starting_denoiser(folder: str, latent_channels: int) -> Denoiser:
    """The denoiser of a folder as `data/06_models/denoiser` is, of an exported folder, or the
    bundled estimator's.

    Its `made_from` names the encoder whose latents it learned, if the folder says so: `encoder`,
    and for an export, whose latent scale may have been changed, also `exported_encoder`.

    Raises:
        ProjectError: if there is none, or it does not fit the latents.
    """
    if folder == BUNDLED or (Path(folder) / "model_index.json").is_file():
        model = load_albedo_model(PretrainedModel(model=folder))
        exported = {"exported_encoder": encoder_digest(model.autoencoder)}
        learned = read_made_from(model_folder(folder)).get("encoder")
        made_from = exported | {"encoder": learned or exported["exported_encoder"]}
        denoiser = replace(model.denoiser, made_from=made_from)
    else:
        denoiser = DenoiserDataset(filepath=folder).load()
    if has_lora(denoiser.unet):
        denoiser = replace(denoiser, unet=merge_lora(denoiser.unet))
    if denoiser.unet.config.out_channels != latent_channels:
        raise ProjectError(
            f"train.start_from {folder}: predicts {denoiser.unet.config.out_channels} channels, "
            f"but the autoencoder's latents have {latent_channels}"
        )
    return denoiser
