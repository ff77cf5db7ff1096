"""The autoencoder: the scale and size of its latents, and the bundled one."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.autoencoder import (
    BUNDLED_AUTOENCODER,
    decode,
    encode,
    factor,
    load_pretrained,
    with_standard_scale,
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


@pytest.fixture(params=["with", "without"])
def other_scale(request: pytest.FixtureRequest, autoencoder) -> AutoencoderKL:
    """An autoencoder of another scale and a shift, with or without convolutions at its latents."""
    if request.param == "with":
        model = deepcopy(autoencoder)
    else:
        plain = {"use_quant_conv": False, "use_post_quant_conv": False}
        model = AutoencoderKL.from_config(dict(autoencoder.config) | plain).eval()
        torch.nn.init.constant_(model.encoder.conv_out.bias[4:], -6.0)
    model.register_to_config(scaling_factor=0.358, shift_factor=0.25)
    return model


@torch.no_grad()
def test_the_standard_scale_changes_no_latent_and_no_picture(other_scale) -> None:
    torch.manual_seed(1)
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    latents = encode(other_scale, images)
    stored = {name: value.clone() for name, value in other_scale.state_dict().items()}
    folded = with_standard_scale(other_scale)
    assert (folded.config.scaling_factor, folded.config.shift_factor) == (0.18215, None)
    torch.testing.assert_close(encode(folded, images), latents, atol=1e-5, rtol=0)
    pictures = decode(other_scale, latents), decode(folded, latents)
    torch.testing.assert_close(*pictures, atol=1e-5, rtol=0)
    before, after = (model.encode(images).latent_dist for model in (other_scale, folded))
    torch.testing.assert_close(after.std, before.std * 0.358 / 0.18215, rtol=1e-4, atol=0)
    torch.testing.assert_close(after.mean, (before.mean - 0.25) * 0.358 / 0.18215)
    assert all(torch.equal(stored[name], value) for name, value in other_scale.state_dict().items())
    assert other_scale.config.scaling_factor == 0.358


def test_the_standard_scale_stays(autoencoder) -> None:
    assert autoencoder.config.scaling_factor == 0.18215
    assert with_standard_scale(autoencoder) is autoencoder


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
