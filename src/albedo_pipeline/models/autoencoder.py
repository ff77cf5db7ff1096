"""The autoencoder: images => latents (scaled posterior means) => images."""

import math
from copy import deepcopy
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.loading import load_network
from albedo_pipeline.models.precision import autocast
from albedo_pipeline.params.autoencoder import PretrainedAutoencoder
from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.params.loading import DEFAULT_LOADING, WeightLoading

BUNDLED_AUTOENCODER = Path(__file__).parent / "bundled" / "autoencoder"
"""Folder of the small autoencoder that ships with the package; its README says how it was made."""
INITIAL_LOG_VARIANCE = -6.0
"""Log variance of the posterior of an untrained autoencoder."""
STANDARD_SCALE = 0.18215
"""Latent scale of Stable Diffusion, which some hosts of Marigold's models hold as a constant."""


def factor(autoencoder: AutoencoderKL) -> int:
    """Width of a latent cell, pixels."""
    return 2 ** (len(autoencoder.config.block_out_channels) - 1)


def check_divisible(autoencoder: AutoencoderKL, shape: tuple[int, ...]) -> None:
    """Raise ProjectError if H or W of `shape`, [..., H, W], is not a multiple of the factor."""
    height, width = shape[-2:]
    if height % factor(autoencoder) or width % factor(autoencoder):
        raise ProjectError(
            f"ingest.resolution (or multiple_of): images of {width} x {height} pixels cannot be "
            f"encoded: the autoencoder needs multiples of {factor(autoencoder)}"
        )


def new_autoencoder(params: AutoencoderTraining) -> AutoencoderKL:
    """An autoencoder with random weights; draws from torch's global generator.

    Residual branches start at zero (Goyal et al. 2017, sec. 5.1), and the posterior starts narrow.
    So the autoencoder starts nearly linear and nearly deterministic, and learns several times
    faster.
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


def load_pretrained(
    source: PretrainedAutoencoder, loading: WeightLoading = DEFAULT_LOADING
) -> AutoencoderKL:
    """Load an `AutoencoderKL` from the Hub or a local folder, safetensors only.

    Weights that `loading` ignores are drawn from torch's global generator.

    Raises:
        ProjectError: if it cannot be loaded, or a weight is missing or has another shape. The
            message names the model.
    """
    key, path = "autoencoder.pretrained.model", "autoencoder.loading"
    model = load_network(AutoencoderKL, source, source.subfolder, loading, key, path)
    return model.eval()


@torch.no_grad()
def with_standard_scale(autoencoder: AutoencoderKL) -> AutoencoderKL:
    """A copy with the latent scale 0.18215 and no shift, for which the same latents hold.

    The old scale s and shift b move into the convolutions next to the posterior mean m. With
    r = s / 0.18215, the new mean is r (m - b), the log variance grows by 2 log r, and the decoder's
    convolution takes back its input as z / r + b. An autoencoder without these convolutions gets
    them. One that has this scale already is returned unchanged.
    """
    scale, shift = autoencoder.config.scaling_factor, autoencoder.config.shift_factor or 0.0
    if scale == STANDARD_SCALE and not shift:
        return autoencoder
    folded, channels = deepcopy(autoencoder), autoencoder.config.latent_channels
    before = _pointwise(folded.quant_conv, 2 * channels)
    after = _pointwise(folded.post_quant_conv, channels)
    ratio = scale / STANDARD_SCALE
    assert before.bias is not None
    assert after.bias is not None
    for parameter in (before.weight, before.bias):
        parameter[:channels] *= ratio
    before.bias[:channels] -= ratio * shift
    before.bias[channels:] += 2 * math.log(ratio)
    after.bias += shift * after.weight.sum(dim=(1, 2, 3))
    after.weight /= ratio
    dtype = next(autoencoder.parameters()).dtype
    folded.quant_conv, folded.post_quant_conv = before.to(dtype), after.to(dtype)
    folded.register_to_config(
        scaling_factor=STANDARD_SCALE,
        shift_factor=None,
        use_quant_conv=True,
        use_post_quant_conv=True,
    )
    return folded


def _pointwise(conv: torch.nn.Conv2d | None, channels: int) -> torch.nn.Conv2d:
    """A float64 copy of a convolution of one pixel; the identity if there is none."""
    copy = torch.nn.Conv2d(channels, channels, 1, dtype=torch.float64)
    if conv is None:
        torch.nn.init.dirac_(copy.weight)
        assert copy.bias is not None
        torch.nn.init.zeros_(copy.bias)
    else:
        copy.load_state_dict(conv.state_dict())
    return copy.requires_grad_(False)


def encode(autoencoder: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Images [B, 3, H, W] in [-1, 1] => latents [B, C, h, w], float32."""
    mean = autoencoder.encode(images).latent_dist.mode().float()
    shift = autoencoder.config.shift_factor or 0.0
    return (mean - shift) * autoencoder.config.scaling_factor


def decode_unclipped(autoencoder: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Latents [B, C, h, w] => images [B, 3, H, W], float32; a little may lie outside [-1, 1]."""
    shift = autoencoder.config.shift_factor or 0.0
    unscaled = latents / autoencoder.config.scaling_factor + shift
    return autoencoder.decode(unscaled).sample.float()


def decode(autoencoder: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Latents [B, C, h, w] => images [B, 3, H, W], float32, clipped to [-1, 1]."""
    return decode_unclipped(autoencoder, latents).clamp(-1, 1)


def decoder_parameters(autoencoder: AutoencoderKL) -> dict[str, torch.nn.Parameter]:
    """The parameters that turn latents into images, by name."""
    parts = ("decoder.", "post_quant_conv.")
    return {name: p for name, p in autoencoder.named_parameters() if name.startswith(parts)}


@torch.no_grad()
def round_trip(
    autoencoder: AutoencoderKL, images: torch.Tensor, device: torch.device, precision: str
) -> torch.Tensor:
    """Encode and decode images [B, 3, H, W] in [-1, 1]; returns float32 on the CPU."""
    with autocast(device, precision):
        return decode(autoencoder, encode(autoencoder, images.to(device))).cpu()
