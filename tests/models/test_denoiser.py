"""The denoiser: how its UNet is loaded and its input adapted, and its noise schedule."""

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser, load_unet, new_scheduler
from albedo_pipeline.params.denoiser import NoiseSchedule, PretrainedDenoiser
from albedo_pipeline.params.loading import WeightLoading


def source(folder: Path, **options: str) -> PretrainedDenoiser:
    return PretrainedDenoiser(model=str(folder), **options)


def test_a_widened_unet_gives_for_equal_latents_what_it_gave_before(stable_diffusion: Path) -> None:
    old = UNet2DConditionModel.from_pretrained(stable_diffusion / "unet")
    new = load_unet(source(stable_diffusion), latent_channels=4)
    x, text_embedding = torch.randn(2, 4, 8, 8), torch.randn(2, 2, 8)
    with torch.no_grad():
        before = old(x, 10, text_embedding).sample
        after = new(torch.cat([x, x], dim=1), 10, text_embedding).sample
    assert torch.allclose(before, after, atol=1e-5)
    assert torch.equal(new.conv_in.bias, old.conv_in.bias)


def test_the_widened_shape_survives_saving(stable_diffusion: Path, tmp_path: Path) -> None:
    load_unet(source(stable_diffusion), 4).save_pretrained(tmp_path / "unet")
    assert UNet2DConditionModel.from_pretrained(tmp_path / "unet").conv_in.in_channels == 8
    assert (
        load_unet(source(tmp_path), 4).config.in_channels == 8
    )  # wide already, so it is not changed


def test_swapped_inputs_are_exchanged(stable_diffusion: Path, tmp_path: Path) -> None:
    wide = load_unet(source(stable_diffusion), 4)
    torch.nn.init.normal_(wide.conv_in.weight)  # after widening both halves are equal
    wide.save_pretrained(tmp_path / "unet")
    swapped = load_unet(source(tmp_path, input_order="noisy_first"), 4)
    beauty, noisy, text_embedding = (
        torch.randn(1, 4, 8, 8),
        torch.randn(1, 4, 8, 8),
        torch.randn(1, 2, 8),
    )
    with torch.no_grad():
        one = wide(torch.cat([noisy, beauty], dim=1), 10, text_embedding).sample
        two = swapped(torch.cat([beauty, noisy], dim=1), 10, text_embedding).sample
    assert torch.allclose(one, two, atol=1e-5)


def test_a_unet_that_does_not_fit_is_named(stable_diffusion: Path) -> None:
    with pytest.raises(
        ProjectError, match="predicts 4 channels, but the autoencoder's latents have"
    ):
        load_unet(source(stable_diffusion), latent_channels=8)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"train\.pretrained\.model .*nowhere"):
        load_unet(source(tmp_path / "nowhere"), 4)


def test_alphas_cumprod_are_those_of_the_scheduler(stable_diffusion: Path) -> None:
    for kind in ("v_prediction", "epsilon", "sample"):
        scheduler = new_scheduler(NoiseSchedule(prediction_type=kind))
        alphas_cumprod = Denoiser(None, scheduler, torch.zeros(1)).alphas_cumprod()
        assert torch.allclose(alphas_cumprod, scheduler.alphas_cumprod, atol=1e-6)
        assert (alphas_cumprod[-1] == 0) == (kind != "epsilon")


def test_ignored_weights_of_a_pretrained_unet_are_random(stable_diffusion: Path) -> None:
    plain = load_unet(source(stable_diffusion), 4).state_dict()
    torch.manual_seed(1)
    loading = WeightLoading(ignore=(r"^conv_out\.weight",))
    changed = load_unet(source(stable_diffusion), 4, loading).state_dict()
    assert {n for n in plain if not torch.equal(plain[n], changed[n])} == {"conv_out.weight"}
