"""The autoencoder: images => latents (scaled posterior means) => images."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.models.precision import autocast
from albedo_pipeline.params.autoencoder import AutoencoderTraining, PretrainedAutoencoder

BUNDLED = Path(__file__).parent / "bundled"
"""The small autoencoder that ships with the package; its README tells how it was made."""
INITIAL_LOG_VARIANCE = -6.0
"""Of the posterior of an untrained autoencoder."""


def factor(autoencoder: AutoencoderKL) -> int:
    """How many pixels one latent cell is wide."""
    return 2 ** (len(autoencoder.config.block_out_channels) - 1)


def check_divisible(autoencoder: AutoencoderKL, shape: tuple[int, ...]) -> None:
    """Raise ProjectError where images of `shape`, [..., H, W], are not whole latent cells."""
    height, width = shape[-2:]
    if height % factor(autoencoder) or width % factor(autoencoder):
        raise ProjectError(
            f"ingest.resolution (or multiple_of): images of {width} x {height} pixels cannot be "
            f"encoded: the autoencoder needs multiples of {factor(autoencoder)}"
        )


def new_autoencoder(params: AutoencoderTraining) -> AutoencoderKL:
    """An autoencoder with random weights; draws from torch's global generator.

    Residual branches begin at zero (Goyal et al. 2017, sec. 5.1) and the posterior begins narrow:
    so it begins as a nearly linear code, and learns several times faster.
    """
    levels = len(params.block_out_channels)
    autoencoder = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=params.block_out_channels,
        layers_per_block=params.layers_per_block,
        latent_channels=params.latent_channels,
        norm_num_groups=params.norm_num_groups,
        mid_block_add_attention=False,
    )
    for block in autoencoder.modules():
        if isinstance(block, ResnetBlock2D):
            for weight in block.conv2.parameters():
                torch.nn.init.zeros_(weight)
    with torch.no_grad():
        autoencoder.quant_conv.weight[params.latent_channels :] *= 0.1
        autoencoder.quant_conv.bias[params.latent_channels :] = INITIAL_LOG_VARIANCE
    return autoencoder


def load_pretrained(source: PretrainedAutoencoder) -> AutoencoderKL:
    """An `AutoencoderKL` of the Hub or of a local folder, safetensors only.

    Raises:
        ProjectError: where it cannot be loaded; names it.
    """
    try:
        return AutoencoderKL.from_pretrained(
            source.model,
            subfolder=source.subfolder,
            revision=source.revision,
            use_safetensors=True,
            torch_dtype=torch.float32,
        ).eval()
    except (OSError, ValueError) as error:
        raise ProjectError(
            f"autoencoder.pretrained.model {source.model}: {one_line(error)}"
        ) from error


def encode(autoencoder: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Images [B, 3, H, W] in [-1, 1] => latents [B, C, h, w], float32."""
    mean = autoencoder.encode(images).latent_dist.mode().float()
    shift = autoencoder.config.shift_factor or 0.0
    return (mean - shift) * autoencoder.config.scaling_factor


def decode(autoencoder: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Latents [B, C, h, w] => images [B, 3, H, W], float32, clipped to [-1, 1]."""
    shift = autoencoder.config.shift_factor or 0.0
    unscaled = latents / autoencoder.config.scaling_factor + shift
    return autoencoder.decode(unscaled).sample.float().clamp(-1, 1)


@torch.no_grad()
def round_trip(
    autoencoder: AutoencoderKL, images: torch.Tensor, device: torch.device, precision: str
) -> torch.Tensor:
    """Images [B, 3, H, W] in [-1, 1] encoded and decoded again, on the CPU."""
    with autocast(device, precision):
        return decode(autoencoder, encode(autoencoder, images.to(device))).cpu()
