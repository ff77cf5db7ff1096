"""The components of the denoiser's training: networks, objective, optimiser, moving average."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from diffusers import AutoencoderKL

from albedo_pipeline.models.autoencoder import decoder_parameters
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.ema import Ema
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.end_to_end import FeatureLoss
from albedo_pipeline.params.optimisation import ParameterGroup
from albedo_pipeline.training.objectives.base import Objective
from albedo_pipeline.training.objectives.diffusion import DiffusionObjective
from albedo_pipeline.training.objectives.end_to_end import EndToEndObjective, OneStepModel
from albedo_pipeline.training.objectives.features import Features, load_features
from albedo_pipeline.training.optimisation import freeze, new_optimiser, train_mode
from albedo_pipeline.training.optimiser_step import Components
from albedo_pipeline.training.resume import AUTOENCODER


@dataclass(frozen=True)
class TrainingComponents(Components):
    """Denoiser and autoencoder, and what trains them."""

    denoiser: Denoiser
    autoencoder: AutoencoderKL
    """Its decoder may be trained along."""


def prepare(
    accelerator: Accelerator,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    params: TrainParams,
    new_features: Callable[[FeatureLoss, torch.device], Features] = load_features,
) -> TrainingComponents:
    """Move the networks to the device and make them ready to train.

    Args:
        accelerator: of this process.
        denoiser: what is trained.
        autoencoder: encodes and decodes; its decoder may be trained along.
        params: settings of the training.
        new_features: makes the vision transformer of the feature term.

    Raises:
        ProjectError: if a parameter group matches no parameter, or nothing is left to train.
    """
    unet = denoiser.unet.to(accelerator.device)
    autoencoder.to(accelerator.device).eval().requires_grad_(False)
    if params.execution.channels_last:
        unet.to(memory_format=torch.channels_last)
    if params.execution.gradient_checkpointing:
        unet.enable_gradient_checkpointing()
        autoencoder.enable_gradient_checkpointing()
    optimisation, trained = params.optimiser, freeze(unet, params.optimiser.groups)
    train_mode(unet)
    if params.train_decoder is not None:
        decoder = decoder_parameters(autoencoder)
        for parameter in decoder.values():
            parameter.requires_grad_(True)
        trained |= {AUTOENCODER + name: parameter for name, parameter in decoder.items()}
        own = ParameterGroup(pattern=f"^{re.escape(AUTOENCODER)}", ratio=params.train_decoder.ratio)
        optimisation = optimisation.model_copy(update={"groups": (own, *optimisation.groups)})
    if params.execution.compile:
        unet.compile()
    optimiser = new_optimiser(trained, optimisation)
    model, optimiser = accelerator.prepare(
        _trained_model(denoiser, autoencoder, params, accelerator.device), optimiser
    )
    return TrainingComponents(
        accelerator=accelerator,
        denoiser=denoiser,
        autoencoder=autoencoder,
        objective=_objective(accelerator, denoiser, autoencoder, params, new_features),
        model=model,
        optimiser=optimiser,
        trained=trained,
        ema=Ema(trained.values()),
    )


def _trained_model(
    denoiser: Denoiser, autoencoder: AutoencoderKL, params: TrainParams, device: torch.device
) -> torch.nn.Module:
    if params.objective == "diffusion":
        return denoiser.unet
    config = denoiser.scheduler.config
    return OneStepModel(
        denoiser.unet,
        autoencoder,
        denoiser.text_embedding.to(device),
        config.prediction_type,
        config.num_train_timesteps - 1,
    )


def _objective(
    accelerator: Accelerator,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    params: TrainParams,
    new_features: Callable[[FeatureLoss, torch.device], Features],
) -> Objective:
    if params.objective == "diffusion":
        return DiffusionObjective(
            denoiser.alphas_cumprod().to(accelerator.device),
            denoiser.text_embedding.to(accelerator.device),
            denoiser.scheduler.config.prediction_type,
            params.loss,
            autoencoder,
            accelerator.autocast,
        )
    features = params.end_to_end.features
    return EndToEndObjective(
        params.end_to_end,
        autoencoder,
        new_features(features, accelerator.device) if features else None,
        accelerator.autocast,
    )
