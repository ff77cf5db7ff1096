"""Exported models: what is loaded, and which folders are refused."""

from pathlib import Path

import pytest
from diffusers import DDIMScheduler

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.albedo_model import BUNDLED_ESTIMATOR, load_albedo_model
from albedo_pipeline.params.base import BUNDLED, PretrainedModel
from tests.support.marigold import save_marigold


def damaged(folder: Path) -> None:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"no weights")


def incomplete(folder: Path) -> None:
    (folder / "model_index.json").unlink()


def leading(folder: Path) -> None:
    DDIMScheduler(timestep_spacing="leading").save_pretrained(folder / "scheduler")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (damaged, "unet/diffusion_pytorch_model.safetensors"),
        (incomplete, "model_index.json"),
        (leading, "timestep_spacing is 'leading', expected 'trailing'"),
    ],
)
def test_an_unusable_folder_is_named(tmp_path: Path, harm, message: str) -> None:
    harm(save_marigold(tmp_path))
    with pytest.raises(ProjectError, match=message) as raised:
        load_albedo_model(PretrainedModel(model=str(tmp_path)))
    assert str(raised.value).startswith(f"{tmp_path}: ")
    assert "\n" not in str(raised.value)


def test_a_model_that_predicts_no_albedo_is_refused(tmp_path: Path) -> None:
    properties = {"target_names": ["shading"], "shading": {"prediction_space": "linear"}}
    save_marigold(tmp_path, properties)
    with pytest.raises(ProjectError, match="predicts shading, but no albedo"):
        load_albedo_model(PretrainedModel(model=str(tmp_path)))


def test_the_bundled_estimator_is_small_and_predicts_in_one_step() -> None:
    files = [path for path in BUNDLED_ESTIMATOR.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 24 * 2**20
    model = load_albedo_model(PretrainedModel(model=BUNDLED))
    assert model.default_steps == 1
    assert model.denoiser.ignores_noise
    assert (BUNDLED_ESTIMATOR / "README.md").is_file()
