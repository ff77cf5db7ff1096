"""Prediction of albedo images from beauty images, with one model on one device."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import torch
from torch.nn import Module
from torch.nn.functional import pad

from albedo_pipeline.errors import NotFiniteError, ProjectError
from albedo_pipeline.inference.ensemble import combine
from albedo_pipeline.inference.sampler import sample_latents
from albedo_pipeline.inference.test_time_augmentation import CHANGES, Change
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.autoencoder import decode, encode, factor
from albedo_pipeline.models.precision import DTYPES, autocast
from albedo_pipeline.params.sampling import Sampling

_STEPS = 4
"""DDIM steps if neither the settings nor the model say how many."""


class Estimate(NamedTuple):
    """Predictions of a batch; float32 [B, 3, H, W]."""

    albedo: torch.Tensor
    """Albedo in [0, 1], in the model's colour space."""
    uncertainty: torch.Tensor | None
    """Disagreement of the ensemble, in the unit of the albedo; None for one member."""


def sampling_steps(model: AlbedoModel, sampling: Sampling) -> int:
    """DDIM steps of the settings, or of the model.

    Raises:
        ProjectError: if they are more than the model has timesteps, or more than one of a model
            that predicts in one step.
    """
    if model.denoiser.ignores_noise:
        if sampling.steps not in (None, 1):
            raise ProjectError(
                f"steps (of evaluate, predict or train.validation): {sampling.steps}, but the "
                "model was trained end to end and predicts in one step; set 1 or null"
            )
        return 1
    steps = sampling.steps or model.default_steps or _STEPS
    timesteps = model.denoiser.scheduler.config.num_train_timesteps
    if steps > timesteps:
        raise ProjectError(
            f"steps (of evaluate, predict or train.validation): {steps} is more than the "
            f"denoiser's {timesteps} timesteps"
        )
    return steps


@dataclass(frozen=True)
class Estimator:
    """Predicts albedo with one model on one device: encode, sample, decode, combine.

    `Estimator.owning` makes one from a finished model, which it moves and converts;
    `Estimator.borrowing` from a model in training, which it leaves as it is.
    """

    model: AlbedoModel
    sampling: Sampling
    device: torch.device
    """Device of both networks."""
    dtype: torch.dtype
    """Type of the weights, which the inputs of the autoencoder are converted to."""
    memory_format: torch.memory_format
    """Memory format of the autoencoder's inputs."""
    precision: str
    """Precision of autocast; `fp32` if the networks run in the type of their weights."""

    def __post_init__(self) -> None:
        self.steps  # noqa: B018 - raises if there are too many
        ensemble = self.sampling.ensemble
        is_useless = ensemble.kind == "noise" and ensemble.members > 1
        if is_useless and self.model.denoiser.ignores_noise:
            raise ProjectError(
                "ensemble.kind (of evaluate, predict or train.validation): the members of 'noise' "
                "would be equal, because this model ignores the noise; set it to 'augmentation', "
                "or ensemble.members to 1"
            )

    @classmethod
    def owning(
        cls,
        model: AlbedoModel,
        device: torch.device,
        sampling: Sampling,
        precision: str = "fp32",
        *,
        compiled: bool = False,
    ) -> Self:
        """An estimator that moves the model to `device`, in the memory format that is best there.

        Args:
            precision: precision of the weights and the networks; DDIM's own state is float32.
            compiled: whether the networks are compiled first. This takes minutes, and pays off for
                many images of few sizes.

        Raises:
            ProjectError: if there are more steps than the model has timesteps.
        """
        # On a CPU torch's GroupNorm is less accurate with the channels last.
        layout = torch.channels_last if device.type == "cuda" else torch.contiguous_format
        estimator = cls(model, sampling, device, DTYPES[precision], layout, precision="fp32")
        for network in (model.denoiser.unet, model.autoencoder):
            # Not the models' own `to`, which warns of layers that need float32; they have none.
            Module.to(  # type: ignore[call-overload]
                network, device, DTYPES[precision], memory_format=layout
            ).eval()
        if compiled:
            model.denoiser.unet.compile()
            model.autoencoder.encoder.compile()
            model.autoencoder.decoder.compile()
        return estimator

    @classmethod
    def borrowing(cls, model: AlbedoModel, sampling: Sampling, precision: str) -> Self:
        """An estimator that leaves the model unchanged: on its device, float32 weights, autocast.

        Both networks must be on one device and in eval mode.

        Raises:
            ProjectError: if there are more steps than the model has timesteps.
        """
        device = next(model.denoiser.unet.parameters()).device
        return cls(model, sampling, device, torch.float32, torch.preserve_format, precision)

    def latent_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of the noise that an image's prediction starts from: (C', h, w)."""
        side = factor(self.model.autoencoder)
        channels = self.model.denoiser.unet.config.out_channels
        return channels, -(-height // side), -(-width // side)

    @cached_property
    def steps(self) -> int:
        """DDIM steps; asked once, because the model's answer waits for the device."""
        return sampling_steps(self.model, self.sampling)

    @property
    def images_per_batch(self) -> int:
        """Number of images that fill a batch."""
        ensemble, size = self.sampling.ensemble, self.sampling.batch_size
        return size if ensemble.kind == "augmentation" else max(1, size // ensemble.members)

    @torch.no_grad()
    def predict(self, images: torch.Tensor, noise: torch.Tensor) -> Estimate:
        """Predict images of any size; their borders are repeated to fill the last latent cells.

        Args:
            images: beauty, [B, 3, H, W], sRGB-encoded, in [-1, 1].
            noise: standard normal [B, E, *latent_shape(H, W)], for each ensemble member. With
                test-time augmentation, E is at most the number of augmentations.

        Raises:
            NotFiniteError: if a prediction is not finite.
        """
        if self.sampling.ensemble.kind == "augmentation":
            changes = zip(CHANGES, noise.unbind(1), strict=False)
            predicted = [self._augmented(images, start, change) for change, start in changes]
            return Estimate(*combine(torch.stack(predicted, dim=1), self.sampling.reduction))
        height, width = images.shape[-2:]
        members = noise.shape[1]
        latents = self.encode(images).repeat_interleave(members, dim=0)
        albedo = self._sampled(latents, noise.flatten(0, 1))[..., :height, :width]
        return Estimate(*combine(albedo.unflatten(0, (-1, members)), self.sampling.reduction))

    def _augmented(self, images: torch.Tensor, noise: torch.Tensor, change: Change) -> torch.Tensor:
        """Predictions [B, 3, H, W] of one member: of changed images, with the change undone."""
        cell = factor(self.model.autoencoder)
        latents = self.encode(change.apply(images, cell))
        moved = change.apply_to_noise(noise, *latents.shape[-2:])
        return change.undo(self._sampled(latents, moved), cell, *images.shape[-2:])

    def _sampled(self, latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Beauty latents [B, C, h, w] and noise [B, C', h, w] => albedo [B, 3, H, W]."""
        batches = zip(self._batches(latents), self._batches(noise), strict=True)
        return torch.cat([self.decode(self.denoise(beauty, start)) for beauty, start in batches])

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Images [B, 3, H, W] in [-1, 1] => latents, float32 [B, C, h, w]."""
        side = factor(self.model.autoencoder)
        height, width = images.shape[-2:]
        padded = pad(images, (0, -width % side, 0, -height % side), mode="replicate")
        batches = self._batches(padded)
        with autocast(self.device, self.precision):
            return torch.cat([encode(self.model.autoencoder, self._ready(b)) for b in batches])

    @torch.no_grad()
    def denoise(self, beauty: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Beauty latents [B, C, h, w] and noise [B, C', h, w] => albedo latents [B, C, h, w]."""
        channels = beauty.shape[1]
        latents = sample_latents(
            self.model.denoiser, beauty, noise.to(self.device), self.steps, self.precision
        )
        first = self.model.albedo * channels
        return latents[:, first : first + channels]

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Albedo latents [B, C, h, w] => images in [0, 1], float32.

        Raises:
            NotFiniteError: if an image is not finite, as NaN in the latents makes it.
        """
        with autocast(self.device, self.precision):
            images = (decode(self.model.autoencoder, self._ready(latents)) + 1) / 2
        if not images.isfinite().all():
            is_exact = self.dtype == torch.float32 and self.precision == "fp32"
            raise NotFiniteError(
                "the model gives an image that is not finite (NaN); "
                + (
                    "its weights are damaged or its training diverged: train it again with a lower "
                    "learning_rate.peak"
                    if is_exact
                    else "set precision to fp32"
                )
            )
        return images

    def _ready(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self.device, self.dtype, memory_format=self.memory_format)

    def _batches(self, tensor: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Split into equal parts of at most `batch_size`; a small last part would take as long."""
        return tensor.tensor_split(-(-len(tensor) // self.sampling.batch_size))
