"""The project's own training step on fake tensors, which have shapes but no content."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Self

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count
from transformers import AutoConfig, AutoModel

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.models.denoiser import Denoiser, ignore_noise, new_scheduler
from albedo_pipeline.models.lora import add_lora
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.end_to_end import FeatureLoss
from albedo_pipeline.runtime.live_tensors import LiveTensors
from albedo_pipeline.training.batches import Batch, DeviceBatch
from albedo_pipeline.training.denoiser_components import TrainingComponents, prepare
from albedo_pipeline.training.objectives.features import Features
from albedo_pipeline.training.optimisation import optimiser_tensors
from albedo_pipeline.training.optimiser_step import accumulate, update
from albedo_pipeline.training.pixel_batches import PixelBatch
from albedo_pipeline.training.plan.fake_accelerator import FakeAccelerator, cuda_mixed_precision
from albedo_pipeline.training.plan.networks import Networks

_TEXT_TOKENS = 2  # of the empty text


def _attention_flops(query: Any, key: Any, value: Any, *rest: Any, **options: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward_flops(
    gradient: Any, query: Any, key: Any, value: Any, *rest: Any, **options: Any
) -> int:
    return sdpa_backward_flop_count(gradient, query, key, value)


_ATTENTION_FLOPS = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward_flops,
}
"""Operations of the CPU's attention, by its kernels; torch itself counts the GPU's kernels only."""


@dataclass(frozen=True)
class FakeTraining:
    """A training after its first optimiser step, on fake tensors."""

    networks: Networks
    params: TrainParams
    components: TrainingComponents
    live: LiveTensors
    standing: int
    """Bytes between two steps: weights, their average, the optimiser's state, frozen networks."""
    flops: float
    """Floating-point operations per sample: matrix products, convolutions and attention, forwards
    and backwards."""

    @property
    def parameters(self) -> int:
        """Number of the UNet's parameters, with adapters."""
        return sum(p.numel() for p in self.components.denoiser.unet.parameters())

    @property
    def trained(self) -> int:
        """Number of trained parameters."""
        return sum(p.numel() for p in self.components.trained.values())

    @property
    def checkpoint_bytes(self) -> int:
        """Size of a checkpoint's tensors."""
        components = self.components
        state = optimiser_tensors(components.optimiser.optimizer, components.trained)
        tensors = [*components.trained.values(), *components.ema.shadows, *state.values()]
        return sum(t.numel() * t.element_size() for t in tensors)

    def peak(self, micro_batch_size: int, *, accumulates: bool) -> int:
        """Largest number of bytes during an optimiser step.

        Args:
            micro_batch_size: number of samples.
            accumulates: whether the step has several micro-batches: from the second one on, the
                gradients stand beside the activations. The update takes less than that.
        """
        weights = self.components.trained.values()
        if accumulates and any(w.grad is None for w in weights):
            self._accumulate(smallest_micro_batch(self.params))
        if not accumulates:
            self.components.optimiser.zero_grad()
        gc.collect()
        self.live.peak = self.live.now
        self._accumulate(micro_batch_size)
        return self.live.peak

    def flops_at(self, step: int) -> float:
        """Floating-point operations per sample in optimiser step number `step`."""
        return _flops(self.networks, self.params, self.components, step)

    def _accumulate(self, samples: int) -> None:
        batch = new_batch(self.networks, self.params, samples)
        accumulate(self.components, [batch], 1, self.params.end_to_end.decode_from_step)


def smallest_micro_batch(params: TrainParams) -> int:
    """Smallest number of samples that the objective can compute."""
    return 2 if params.has_light_pairs else 1


@contextmanager
def fake_training(networks: Networks, params: TrainParams, device: str) -> Iterator[FakeTraining]:
    """Yield a training on fake tensors: no memory is taken, and nothing is computed.

    Within the context, every new tensor is a fake one.

    Args:
        networks: what is trained.
        params: settings of the training.
        device: type of the device that is planned for, `cpu`, `cuda` or `mps`.
    """
    execution = params.execution.model_copy(update={"compile": False, "channels_last": False})
    params = params.model_copy(update={"execution": execution})
    step = params.end_to_end.decode_from_step  # from here on, a step takes the most
    live = LiveTensors()
    rules = cuda_mixed_precision() if device == "cuda" else nullcontext()
    empty = EmptyNetworks.of(networks, params)
    with FakeTensorMode(), rules, live:
        components = new_components(empty, params, FakeAccelerator(params.precision))
        flops = _flops(networks, params, components, step)
        update(components, torch.ones(2), 1e-3, step, params)
        gc.collect()
        yield FakeTraining(networks, params, components, live, live.now, flops)


def _flops(
    networks: Networks, params: TrainParams, components: TrainingComponents, step: int
) -> float:
    """Operations per sample in optimiser step number `step`, whose gradients are kept."""
    samples = smallest_micro_batch(params)
    counter = FlopCounterMode(display=False, custom_mapping=_ATTENTION_FLOPS)
    with counter:
        accumulate(components, [new_batch(networks, params, samples)], 1, step)
    return counter.get_total_flops() / samples


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
    unet, autoencoder = _on_cpu(networks.unet), _on_cpu(networks.autoencoder)
    one_step = params.objective == "end_to_end"
    if one_step:
        ignore_noise(unet)
    text_embedding = torch.zeros(1, _TEXT_TOKENS, unet.config.cross_attention_dim)
    scheduler = new_scheduler(params.noise_schedule, one_step=one_step)

    def new_features(features: FeatureLoss, device: torch.device) -> Features:
        return Features(_on_cpu(networks.features), features.resolution, device)

    denoiser = Denoiser(unet, scheduler, text_embedding)
    return prepare(accelerator, denoiser, autoencoder, params, new_features)


def _on_cpu(module: Any) -> Any:
    """The module with empty weights, whose `to` does nothing: torch cannot move fake parameters."""
    module._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype))
    module.to = lambda *args, **kwargs: module
    return module


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
