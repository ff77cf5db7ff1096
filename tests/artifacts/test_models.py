"""Datasets of models: a denoiser comes back as it was saved, and a damaged one is named."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from kedro.io import DatasetError
from safetensors.torch import load_file, save_file

from albedo_pipeline.artifacts.models import AutoencoderDataset, DenoiserDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser, load_unet, new_scheduler
from albedo_pipeline.models.text_embedding import load_text_encoder
from albedo_pipeline.params.denoiser import NoiseSchedule, PretrainedDenoiser
from albedo_pipeline.runtime.checksums import write_checksums
from tests.support.damage import flip_a_byte, no_file_over, truncate

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def source(folder: Path) -> PretrainedDenoiser:
    return PretrainedDenoiser(model=str(folder))


@pytest.fixture
def denoiser(stable_diffusion: Path) -> Denoiser:
    return Denoiser(
        load_unet(source(stable_diffusion), 4),
        new_scheduler(NoiseSchedule()),
        torch.randn(1, 2, 8),
        {"encoder": "1"},
    )


def test_a_denoiser_comes_back_as_it_was_saved(denoiser: Denoiser, tmp_path: Path) -> None:
    dataset = DenoiserDataset(filepath=str(tmp_path / "denoiser"))
    dataset.save(denoiser)
    loaded = dataset.load()
    for name, weight in denoiser.unet.state_dict().items():
        assert torch.equal(weight, loaded.unet.state_dict()[name])
    assert torch.equal(loaded.text_embedding, denoiser.text_embedding)
    assert torch.equal(loaded.alphas_cumprod(), denoiser.alphas_cumprod())
    assert loaded.made_from == {"encoder": "1"}
    assert not list((tmp_path / "denoiser").rglob("*.bin"))  # safetensors only


@pytest.mark.parametrize("do_damage", [flip_a_byte, truncate, Path.unlink])
@pytest.mark.parametrize("name", [WEIGHTS, "text_embedding.safetensors"])
def test_a_damaged_denoiser_is_named(
    denoiser: Denoiser, tmp_path: Path, do_damage, name: str
) -> None:
    dataset = DenoiserDataset(filepath=str(tmp_path / "denoiser"))
    dataset.save(denoiser)
    do_damage(tmp_path / "denoiser" / name)
    message = (
        rf"denoiser: damaged \({name}: (not what was written|missing)\); run the pipeline train"
    )
    with pytest.raises(DatasetError, match=message):
        dataset.load()


def test_a_denoiser_of_an_earlier_version_is_loaded_unless_it_is_cut_off(
    denoiser: Denoiser, tmp_path: Path
) -> None:
    dataset = DenoiserDataset(filepath=str(tmp_path / "denoiser"))
    dataset.save(denoiser)
    (tmp_path / "denoiser" / "checksums.json").unlink()
    dataset.load()
    truncate(tmp_path / "denoiser" / WEIGHTS)
    with pytest.raises(DatasetError, match=r"unet: damaged model .*; run the pipeline train again"):
        dataset.load()


def test_a_damaged_autoencoder_is_named(autoencoder: AutoencoderKL, tmp_path: Path) -> None:
    dataset = AutoencoderDataset(filepath=str(tmp_path / "vae"), written_by="train")
    dataset.save(autoencoder)
    flip_a_byte(tmp_path / "vae" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(
        DatasetError, match=r"vae: damaged \(diff.*\); run the pipeline train again"
    ):
        dataset.load()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("decoder.conv_out.bias", None, "the weight decoder.conv_out.bias is missing"),
        (None, "extra.bias", "config.json describes a model without the weight extra.bias"),
    ],
)
def test_a_weight_that_is_missing_or_too_many_is_named(
    autoencoder: AutoencoderKL, tmp_path: Path, old: str | None, new: str | None, reason: str
) -> None:
    dataset = AutoencoderDataset(filepath=str(tmp_path / "autoencoder"))
    dataset.save(autoencoder)
    file = tmp_path / "autoencoder" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    if old:
        del weights[old]
    if new:
        weights[new] = torch.zeros(3)
    save_file(weights, file, {"format": "pt"})
    write_checksums(file.parent)
    with pytest.raises(DatasetError, match=re.escape(f"damaged model ({reason})")):
        dataset.load()


def test_a_part_of_an_undamaged_model_is_loaded(stable_diffusion: Path, tmp_path: Path) -> None:
    """Damage is found in the subfolder that is loaded, and only there."""
    folder = Path(shutil.copytree(stable_diffusion, tmp_path / "sd"))
    write_checksums(folder)
    flip_a_byte(folder / "unet" / "diffusion_pytorch_model.safetensors")
    load_text_encoder(source(folder))
    with pytest.raises(ProjectError, match=r"damaged \(unet/diff.*; get it again from where"):
        load_unet(source(folder), 4)
    flip_a_byte(folder / "text_encoder" / "model.safetensors")
    with pytest.raises(ProjectError, match=r"damaged \(text_encoder/model.*; get it again from"):
        load_text_encoder(source(folder))


def test_a_full_disk_is_one_line_and_leaves_the_old_model(
    denoiser: Denoiser, tmp_path: Path
) -> None:
    dataset = DenoiserDataset(filepath=str(tmp_path / "denoiser"))
    dataset.save(denoiser)
    with pytest.raises(DatasetError) as error, no_file_over(10_000):
        dataset.save(denoiser)
    message = rf"{tmp_path}/denoiser: not written \(.*[Ff]ile too large.*\)"
    assert re.fullmatch(message, str(error.value.__cause__))
    dataset.load()
    assert list(tmp_path.iterdir()) == [tmp_path / "denoiser"]


def test_the_files_of_a_model_follow_the_umask(denoiser: Denoiser, tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    DenoiserDataset(filepath=str(tmp_path / "denoiser")).save(denoiser)
    files = [path for path in (tmp_path / "denoiser").rglob("*") if path.is_file()]
    assert {path.stat().st_mode for path in files} == {(tmp_path / "usual").stat().st_mode}
