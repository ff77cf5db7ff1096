"""Datasets of models: a denoiser comes back as it was saved, and a damaged one is named."""

from pathlib import Path

import pytest
import torch

from albedo_pipeline.artifacts.models import DenoiserDataset
from albedo_pipeline.models.denoiser import Denoiser, load_unet, new_scheduler
from albedo_pipeline.params.denoiser import NoiseSchedule, PretrainedDenoiser


def source(folder: Path) -> PretrainedDenoiser:
    return PretrainedDenoiser(model=str(folder))


def test_a_denoiser_comes_back_as_it_was_saved(stable_diffusion: Path, tmp_path: Path) -> None:
    denoiser = Denoiser(
        load_unet(source(stable_diffusion), 4),
        new_scheduler(NoiseSchedule()),
        torch.randn(1, 2, 8),
        {"encoder": "1"},
    )
    dataset = DenoiserDataset(filepath=str(tmp_path / "denoiser"))
    dataset.save(denoiser)
    loaded = dataset.load()
    for name, weight in denoiser.unet.state_dict().items():
        assert torch.equal(weight, loaded.unet.state_dict()[name])
    assert torch.equal(loaded.text_embedding, denoiser.text_embedding)
    assert torch.equal(loaded.alphas_cumprod(), denoiser.alphas_cumprod())
    assert loaded.made_from == {"encoder": "1"}
    assert not list((tmp_path / "denoiser").rglob("*.bin"))  # safetensors only


def test_a_damaged_denoiser_is_named(stable_diffusion: Path, tmp_path: Path) -> None:
    dataset = DenoiserDataset(filepath=str(tmp_path / "denoiser"))
    dataset.save(
        Denoiser(
            load_unet(source(stable_diffusion), 4),
            new_scheduler(NoiseSchedule()),
            torch.randn(1, 2, 8),
        )
    )
    weights = tmp_path / "denoiser" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(Exception, match="unet: damaged model"):
        dataset.load()
