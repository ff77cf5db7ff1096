"""A small model in the form of an export."""

from pathlib import Path

import torch
from diffusers import MarigoldIntrinsicsPipeline, UNet2DConditionModel

from albedo_pipeline.models.autoencoder import new_autoencoder
from albedo_pipeline.models.denoiser import new_scheduler, new_unet
from albedo_pipeline.models.text_embedding import new_text_encoder
from albedo_pipeline.params.autoencoder import AutoencoderTraining
from albedo_pipeline.params.denoiser import NoiseSchedule, ScratchDenoiser


def save_marigold(folder: Path, properties: dict | None = None) -> Path:
    """Save a small `MarigoldIntrinsicsPipeline` with random weights, as diffusers does."""
    properties = properties or {
        "target_names": ["albedo"],
        "albedo": {"prediction_space": "srgb", "up_to_scale": False},
    }
    torch.manual_seed(9)
    scratch = ScratchDenoiser(
        block_out_channels=(16, 32), attention=(False, True), norm_num_groups=8, text_width=8
    )
    encoder, tokenizer = new_text_encoder(8)
    autoencoder = new_autoencoder(AutoencoderTraining(block_out_channels=(8, 16), max_steps=1))
    targets = len(properties["target_names"])
    unet = new_unet(scratch, 4)
    if targets > 1:
        config = dict(unet.config) | {"in_channels": 4 + 4 * targets, "out_channels": 4 * targets}
        unet = UNet2DConditionModel.from_config(config)
    MarigoldIntrinsicsPipeline(
        unet=unet,
        vae=autoencoder,
        scheduler=new_scheduler(NoiseSchedule()),
        text_encoder=encoder,
        tokenizer=tokenizer,
        prediction_type="intrinsics",
        target_properties=properties,
        default_denoising_steps=2,
        default_processing_resolution=32,
    ).save_pretrained(folder)
    return folder
