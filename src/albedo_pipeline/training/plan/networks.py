"""The networks as configurations, without weights."""

from dataclasses import dataclass
from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel

Config = dict[str, Any]
"""Configuration of a diffusers model."""


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """The autoencoder of a training."""

    autoencoder: Config
    """The autoencoder, whose latents have C channels."""

    def new_autoencoder(self) -> AutoencoderKL:
        """The autoencoder with random weights."""
        return AutoencoderKL.from_config(self.autoencoder)

    @property
    def latent_channels(self) -> int:
        """Number of channels C of a latent."""
        return int(self.autoencoder["latent_channels"])

    @property
    def factor(self) -> int:
        """Width of a latent cell, pixels."""
        return 2 ** (len(self.autoencoder["block_out_channels"]) - 1)


@dataclass(frozen=True, kw_only=True)
class Networks(AutoencoderConfig):
    """The networks of a training, and the size of what goes through them."""

    unet: Config
    """The UNet, with 2C input channels."""
    size: tuple[int, int]
    """Height and width of a latent, cells."""

    def new_unet(self) -> UNet2DConditionModel:
        """The UNet with random weights."""
        return UNet2DConditionModel.from_config(self.unet)


@dataclass(frozen=True, kw_only=True)
class AutoencoderNetworks(AutoencoderConfig):
    """The autoencoder of a training, and the size of what goes through it."""

    side: int
    """Width and height of an image or crop, pixels."""
    precision: str
    """Precision of the forward pass."""

    @property
    def cells(self) -> int:
        """Width and height of a latent."""
        return self.side // self.factor
