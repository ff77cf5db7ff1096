"""Adapters: new ones change nothing, they are trained alone, stored separately, and merged."""

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from albedo_pipeline.artifacts.models import DenoiserDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser, load_unet, new_scheduler
from albedo_pipeline.models.lora import add_lora, has_lora, merge_lora
from albedo_pipeline.params.denoiser import Lora, NoiseSchedule, PretrainedDenoiser

INPUT = torch.randn(2, 8, 8, 8, generator=torch.Generator().manual_seed(0))
TEXT_EMBEDDING = torch.randn(2, 2, 8, generator=torch.Generator().manual_seed(1))


def predict(unet: UNet2DConditionModel) -> torch.Tensor:
    with torch.no_grad():
        return unet.eval()(INPUT, 10, TEXT_EMBEDDING).sample


@pytest.fixture
def unet(stable_diffusion: Path) -> UNet2DConditionModel:
    torch.manual_seed(0)
    return load_unet(PretrainedDenoiser(model=str(stable_diffusion)), 4).requires_grad_(False)


@pytest.fixture
def adapted(unet) -> UNet2DConditionModel:
    """A UNet with adapters that have an effect."""
    adapted = add_lora(unet, Lora(rank=2, alpha=4))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return adapted


def test_new_adapters_change_nothing(unet) -> None:
    before = predict(unet)
    assert torch.equal(before, predict(add_lora(unet, Lora(rank=2))))


def test_only_adapters_and_named_modules_are_trained(unet) -> None:
    add_lora(unet, Lora(rank=2, target_modules=("to_q",), train_also=("conv_in",)))
    trained = {name for name, p in unet.named_parameters() if p.requires_grad}
    assert {"conv_in.weight", "conv_in.bias"} <= trained
    assert all("to_q.lora_" in name for name in trained - {"conv_in.weight", "conv_in.bias"})


@pytest.mark.parametrize("key", ["target_modules", "train_also"])
def test_a_name_that_matches_no_module_is_named(unet, key: str) -> None:
    with pytest.raises(ProjectError, match=rf"train\.lora\.{key}: .*nowhere"):
        add_lora(unet, Lora(rank=2, **{key: ("nowhere",)}))


def test_adapters_are_stored_separately_and_loaded_again(adapted, tmp_path: Path) -> None:
    dataset = DenoiserDataset(filepath=str(tmp_path / "denoiser"))
    torch.nn.init.normal_(adapted.conv_in.weight, std=0.1)  # trained directly
    dataset.save(Denoiser(adapted, new_scheduler(NoiseSchedule()), torch.randn(1, 2, 8)))
    plain = UNet2DConditionModel.from_pretrained(tmp_path / "denoiser" / "unet")
    assert not has_lora(plain)
    assert torch.equal(plain.conv_in.weight, adapted.conv_in.weight)
    assert not torch.allclose(predict(plain), predict(adapted), atol=1e-3)
    loaded = dataset.load().unet
    assert has_lora(loaded)
    assert torch.allclose(predict(loaded), predict(adapted), atol=1e-6)


def test_merged_weights_have_the_same_effect(adapted) -> None:
    merged = merge_lora(adapted)
    assert not has_lora(merged)
    assert torch.allclose(predict(merged), predict(adapted), atol=1e-5)
    assert not any("lora" in name for name, _ in merged.named_parameters())
