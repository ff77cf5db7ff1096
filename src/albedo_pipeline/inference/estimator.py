"""Beauty images => albedo images, with one model on one device."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import Module
from torch.nn.functional import pad

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.inference.ensemble import combine
from albedo_pipeline.inference.sampler import sample_latents
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.autoencoder import decode, encode, factor

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Sampling:
    """How an albedo is predicted."""

    steps: int
    """DDIM steps."""
    reduction: str = "mean"
    """Of the ensemble: `mean` or `median`."""
    batch_size: int = 1
    """Members of all samples' ensembles that go through the networks at a time."""
    precision: str = "fp32"
    """Of the weights and the networks; DDIM's own state is float32."""
    compiled: bool = False
    """Compile the networks first: minutes, for many images of few sizes."""


class Estimate(NamedTuple):
    """What is predicted of a batch; float32 [B, 3, H, W]."""

    albedo: torch.Tensor
    """In [0, 1], in the model's space."""
    uncertainty: torch.Tensor | None
    """Disagreement of the ensemble, in the albedo's unit; None where it has one member."""


class Estimator:
    """Takes a model over: moves it to the device, in the precision and layout that are fastest."""

    def __init__(self, model: AlbedoModel, device: torch.device, sampling: Sampling) -> None:
        """
        Raises:
            ProjectError: where there are more steps than the model has timesteps.
        """
        timesteps = model.denoiser.scheduler.config.num_train_timesteps
        if sampling.steps > timesteps:
            raise ProjectError(
                f"steps (of evaluate or predict): {sampling.steps} is more than the denoiser's "
                f"{timesteps} timesteps"
            )
        self.model, self.device = model, device
        self._sampling = sampling
        self._dtype = _DTYPES[sampling.precision]
        # On a CPU torch's GroupNorm loses digits with the channels last.
        on_gpu = device.type == "cuda"
        self._layout = torch.channels_last if on_gpu else torch.contiguous_format
        for network in (model.denoiser.unet, model.autoencoder):
            # Not the models' own `to`, which warns of layers that need float32; they have none.
            Module.to(  # type: ignore[call-overload]
                network, device, self._dtype, memory_format=self._layout
            ).eval()
        if sampling.compiled:
            model.denoiser.unet.compile()
            model.autoencoder.encoder.compile()
            model.autoencoder.decoder.compile()

    def latent_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of the noise that an image's prediction starts from: (C', h, w)."""
        side = factor(self.model.autoencoder)
        channels = self.model.denoiser.unet.config.out_channels
        return channels, -(-height // side), -(-width // side)

    @torch.no_grad()
    def predict(self, images: torch.Tensor, noise: torch.Tensor) -> Estimate:
        """Images of any size are filled up to whole latent cells by repeating their border.

        Args:
            images: beauty, [B, 3, H, W], sRGB-encoded, in [-1, 1].
            noise: standard normal [B, E, *latent_shape(H, W)], one for each ensemble member.
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
        return Estimate(*combine(ensembles, self._sampling.reduction))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Images [B, 3, H, W] in [-1, 1] => latents of whole cells, float32 [B, C, h, w]."""
        side = factor(self.model.autoencoder)
        height, width = images.shape[-2:]
        filled = pad(images, (0, -width % side, 0, -height % side), mode="replicate")
        batches = self._batches(filled)
        return torch.cat([encode(self.model.autoencoder, self._ready(b)) for b in batches])

    @torch.no_grad()
    def denoise(self, beauty: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Beauty latents [B, C, h, w] and noise [B, C', h, w] => albedo latents [B, C, h, w]."""
        denoiser, channels = self.model.denoiser, beauty.shape[1]
        latents = sample_latents(
            denoiser, beauty, noise.to(self.device), self._sampling.steps, "fp32"
        )
        first = self.model.albedo * channels
        return latents[:, first : first + channels]

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Albedo latents [B, C, h, w] => images in [0, 1], float32."""
        return (decode(self.model.autoencoder, self._ready(latents)) + 1) / 2

    def _ready(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self.device, self._dtype, memory_format=self._layout)

    def _batches(self, tensor: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Equal parts of at most `batch_size`: one small last part would cost as much time."""
        return tensor.tensor_split(-(-len(tensor) // self._sampling.batch_size))
