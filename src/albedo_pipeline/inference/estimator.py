"""Beauty images => albedo images, with one model on one device."""

from typing import NamedTuple, Self

import torch
from torch.nn import Module
from torch.nn.functional import pad

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.inference.ensemble import combine
from albedo_pipeline.inference.sampler import sample_latents
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
        ProjectError: if they are more than the model has timesteps.
    """
    steps = sampling.steps or model.default_steps or _STEPS
    timesteps = model.denoiser.scheduler.config.num_train_timesteps
    if steps > timesteps:
        raise ProjectError(
            f"steps (of evaluate, predict or train.validation): {steps} is more than the "
            f"denoiser's {timesteps} timesteps"
        )
    return steps


class Estimator:
    """Predicts albedo with one model on one device: encode, sample, decode, combine.

    A finished model is taken over: moved to the device, in the precision and memory layout that are
    fastest there. A model that is being trained is only borrowed (`borrowing`).
    """

    def __init__(
        self,
        model: AlbedoModel,
        device: torch.device,
        sampling: Sampling,
        precision: str = "fp32",
        *,
        compiled: bool = False,
    ) -> None:
        """Take the model over.

        Args:
            precision: of the weights and the networks; DDIM's own state is float32.
            compiled: whether the networks are compiled first, which takes minutes and pays off for
                many images of few sizes.

        Raises:
            ProjectError: if there are more steps than the model has timesteps.
        """
        # On a CPU torch's GroupNorm loses digits with the channels last.
        layout = torch.channels_last if device.type == "cuda" else torch.contiguous_format
        self._set(model, device, sampling, DTYPES[precision], layout, "fp32")
        for network in (model.denoiser.unet, model.autoencoder):
            # Not the models' own `to`, which warns of layers that need float32; they have none.
            Module.to(  # type: ignore[call-overload]
                network, device, self._dtype, memory_format=layout
            ).eval()
        if compiled:
            model.denoiser.unet.compile()
            model.autoencoder.encoder.compile()
            model.autoencoder.decoder.compile()

    @classmethod
    def borrowing(cls, model: AlbedoModel, sampling: Sampling, precision: str) -> Self:
        """An estimator that leaves the model unchanged: float32 weights, autocast, its own device.

        Both networks must be on one device and in eval mode.

        Raises:
            ProjectError: if there are more steps than the model has timesteps.
        """
        estimator = cls.__new__(cls)
        device = next(model.denoiser.unet.parameters()).device
        layout = torch.preserve_format
        estimator._set(model, device, sampling, torch.float32, layout, precision)
        return estimator

    def _set(
        self,
        model: AlbedoModel,
        device: torch.device,
        sampling: Sampling,
        dtype: torch.dtype,
        layout: torch.memory_format,
        autocast_precision: str,
    ) -> None:
        self.model, self.device, self.sampling = model, device, sampling
        self._steps = sampling_steps(model, sampling)
        self._dtype, self._layout, self._autocast = dtype, layout, autocast_precision

    def latent_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of the noise that an image's prediction starts from: (C', h, w)."""
        side = factor(self.model.autoencoder)
        channels = self.model.denoiser.unet.config.out_channels
        return channels, -(-height // side), -(-width // side)

    @torch.no_grad()
    def predict(self, images: torch.Tensor, noise: torch.Tensor) -> Estimate:
        """Predict images of any size; their borders are repeated to fill the last latent cells.

        Args:
            images: beauty, [B, 3, H, W], sRGB-encoded, in [-1, 1].
            noise: standard normal [B, E, *latent_shape(H, W)], for each ensemble member.
        """
        height, width = images.shape[-2:]
        members = noise.shape[1]
        latents = self.encode(images).repeat_interleave(members, dim=0)
        predicted = [
            self.decode(self.denoise(beauty, start))[..., :height, :width]
            for beauty, start in zip(
                self._batches(latents), self._batches(noise.flatten(0, 1)), strict=True
            )
        ]
        ensembles = torch.cat(predicted).unflatten(0, (len(images), members))
        return Estimate(*combine(ensembles, self.sampling.reduction))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Images [B, 3, H, W] in [-1, 1] => latents, float32 [B, C, h, w]."""
        side = factor(self.model.autoencoder)
        height, width = images.shape[-2:]
        padded = pad(images, (0, -width % side, 0, -height % side), mode="replicate")
        batches = self._batches(padded)
        with autocast(self.device, self._autocast):
            return torch.cat([encode(self.model.autoencoder, self._ready(b)) for b in batches])

    @torch.no_grad()
    def denoise(self, beauty: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Beauty latents [B, C, h, w] and noise [B, C', h, w] => albedo latents [B, C, h, w]."""
        denoiser, channels = self.model.denoiser, beauty.shape[1]
        latents = sample_latents(
            denoiser, beauty, noise.to(self.device), self._steps, self._autocast
        )
        first = self.model.albedo * channels
        return latents[:, first : first + channels]

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Albedo latents [B, C, h, w] => images in [0, 1], float32."""
        with autocast(self.device, self._autocast):
            return (decode(self.model.autoencoder, self._ready(latents)) + 1) / 2

    def _ready(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self.device, self._dtype, memory_format=self._layout)

    def _batches(self, tensor: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Split into equal parts of at most `batch_size`; a small last part would take as long."""
        return tensor.tensor_split(-(-len(tensor) // self.sampling.batch_size))
