"""Fixtures of small models with random weights."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from albedo_pipeline.models.autoencoder import new_autoencoder
from albedo_pipeline.models.text_embedding import new_text_encoder
from albedo_pipeline.params.autoencoder import AutoencoderTraining


@pytest.fixture(scope="session")
def autoencoder() -> AutoencoderKL:
    """An autoencoder of factor 2."""
    torch.manual_seed(0)
    params = AutoencoderTraining(block_out_channels=(8, 16), max_steps=1)
    return new_autoencoder(params).eval()


@pytest.fixture(scope="session")
def stable_diffusion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an SD-family UNet of 4 input channels, a text encoder and a tokenizer."""
    folder = tmp_path_factory.mktemp("sd")
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(16, 32),
        layers_per_block=1,
        attention_head_dim=2,
        cross_attention_dim=8,
        norm_num_groups=8,
    )
    encoder, tokenizer = new_text_encoder(width=8)
    for name, model in (("unet", unet), ("text_encoder", encoder), ("tokenizer", tokenizer)):
        model.save_pretrained(folder / name)
    return folder
