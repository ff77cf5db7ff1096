"""The denoiser's own training step on fake tensors, which have shapes but no content."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import AutoConfig, AutoModel

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.models.denoiser import Denoiser, ignore_noise, new_scheduler
from albedo_pipeline.models.lora import add_lora
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.end_to_end import FeatureLoss
from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.training.batches import Batch, DeviceBatch
from albedo_pipeline.training.denoiser_components import TrainingComponents, prepare
from albedo_pipeline.training.objectives.features import Features
from albedo_pipeline.training.optimiser_step import update
from albedo_pipeline.training.pixel_batches import PixelBatch
from albedo_pipeline.training.plan.fake_accelerator import FakeAccelerator
from albedo_pipeline.training.plan.fake_training import (
    FakeTraining,
    on_cpu,
    on_fake_tensors,
    plain_execution,
    started,
)
from albedo_pipeline.training.plan.networks import Networks

_TEXT_TOKENS = 2  # of the empty text


def smallest_micro_batch(params: TrainingLoop) -> int:
    """Smallest number of samples that the objective can compute."""
    return 2 if isinstance(params, TrainParams) and params.has_light_pairs else 1


@contextmanager
def fake_training(networks: Networks, params: TrainParams, device: str) -> Iterator[FakeTraining]:
    """Yield a training of the denoiser on fake tensors; see `fake_training.started`.

    Args:
        networks: what is trained.
        params: settings of the training.
        device: type of the device that is planned for, `cpu`, `cuda` or `mps`.
    """
    params = plain_execution(params)
    step = params.end_to_end.decode_from_step  # from here on, a step takes the most
    empty = EmptyNetworks.of(networks, params)

    def shares(last_step: int | None) -> dict[int, float]:
        if params.objective == "diffusion" or not step or not last_step:
            return {step: 1.0}
        early = min(step, last_step) / last_step
        return {0: early, step: 1 - early}

    with on_fake_tensors(device) as live:
        components = new_components(empty, params, FakeAccelerator(params.precision))
        yield started(
            components,
            sum(p.numel() for p in components.denoiser.unet.parameters()),
            lambda samples: new_batch(networks, params, samples),
            lambda: update(components, torch.ones(2), 1e-3, step, params),
            live,
            step,
            shares,
            smallest_micro_batch(params),
        )


@dataclass(frozen=True)
class EmptyNetworks:
    """The networks of a training on torch's device `meta`, which stores nothing."""

    unet: UNet2DConditionModel
    """The UNet, with its adapters."""
    autoencoder: AutoencoderKL
    """The autoencoder."""
    features: Any
    """The transformer of the feature term; None if there is none."""

    @classmethod
    def of(cls, networks: Networks, params: TrainParams) -> Self:
        """Build the networks as `training.denoiser` does."""
        features = params.end_to_end.features if params.objective == "end_to_end" else None
        with torch.device("meta"):
            unet = networks.new_unet()
            if params.lora:
                unet = add_lora(unet.requires_grad_(False), params.lora)
            model = _transformer(features) if features else None
            return cls(unet, networks.new_autoencoder(), model)


def _transformer(params: FeatureLoss) -> Any:
    try:
        return AutoModel.from_config(AutoConfig.from_pretrained(params.model))
    except (OSError, ValueError) as error:
        raise ProjectError(
            f"train.end_to_end.features.model {params.model}: {one_line(error)}"
        ) from error


def new_components(
    networks: EmptyNetworks, params: TrainParams, accelerator: Any
) -> TrainingComponents:
    """What `training.denoiser_components.prepare` makes, with weights that are not initialised."""
    unet, autoencoder = on_cpu(networks.unet), on_cpu(networks.autoencoder)
    one_step = params.objective == "end_to_end"
    if one_step:
        ignore_noise(unet)
    text_embedding = torch.zeros(1, _TEXT_TOKENS, unet.config.cross_attention_dim)
    scheduler = new_scheduler(params.noise_schedule, one_step=one_step)

    def new_features(features: FeatureLoss, device: torch.device) -> Features:
        return Features(on_cpu(networks.features), features.resolution, device)

    denoiser = Denoiser(unet, scheduler, text_embedding)
    return prepare(accelerator, denoiser, autoencoder, params, new_features)


def new_batch(networks: Networks, params: TrainParams, samples: int) -> DeviceBatch:
    """A micro-batch as the training's stream draws it, without content."""
    height, width = networks.size
    latents = torch.zeros(samples, networks.latent_channels, height, width)
    timesteps = torch.zeros(samples, dtype=torch.int64)
    if not params.needs_pixels:
        valid = torch.ones(samples, 1, height, width, dtype=torch.uint8)
        return Batch(latents, latents.clone(), valid, latents.clone(), timesteps)
    height, width = height * networks.factor, width * networks.factor
    images = torch.zeros(samples, 3, height, width)
    return PixelBatch(
        beauty=images,
        albedo=images.clone(),
        valid=torch.ones(samples, 1, height, width, dtype=torch.uint8),
        noise=torch.zeros(samples, 0) if params.objective == "end_to_end" else latents,
        timesteps=timesteps,
        window=torch.zeros(samples, 2),
        is_second=torch.zeros(samples, dtype=torch.bool),
    )
