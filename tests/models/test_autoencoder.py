"""The autoencoder: the scale and size of its latents, and the bundled one."""

from pathlib import Path

import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.autoencoder import (
    BUNDLED_AUTOENCODER,
    decode,
    encode,
    factor,
    load_pretrained,
)
from albedo_pipeline.params.autoencoder import PretrainedAutoencoder
from albedo_pipeline.runtime.checksums import damage


@torch.no_grad()
def test_latents_are_scaled_posterior_means(autoencoder) -> None:
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    mean = autoencoder.encode(images).latent_dist.mean
    latents = encode(autoencoder, images)
    assert torch.equal(latents, mean * autoencoder.config.scaling_factor)
    assert factor(autoencoder) == 16 // latents.shape[-1] == 2
    expected = autoencoder.decode(mean).sample.clamp(-1, 1)
    assert torch.allclose(decode(autoencoder, latents), expected, atol=1e-5)


def test_the_bundled_autoencoder_is_small_and_loads() -> None:
    weights = BUNDLED_AUTOENCODER / "diffusion_pytorch_model.safetensors"
    assert weights.stat().st_size <= 4 * 2**20
    assert damage(BUNDLED_AUTOENCODER) is None
    assert (
        load_pretrained(PretrainedAutoencoder(model=str(BUNDLED_AUTOENCODER))).dtype
        == torch.float32
    )


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"autoencoder\.pretrained\.model .*nowhere"):
        load_pretrained(PretrainedAutoencoder(model=str(tmp_path / "nowhere")))
