"""A training that diverged ends with an error, and a model with NaN in it is not scored."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from albedo_pipeline.runtime.checksums import write_checksums
from tests.support.project import copied, error_of

MODELS = Path("data/test/06_models")
PREDICTIONS = Path("data/test/07_model_output/predictions")


def states(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_training_that_diverged_stores_no_denoiser(
    finished_project: Path, tmp_path: Path
) -> None:
    project = copied(finished_project, tmp_path)
    before = states(project / MODELS / "denoiser/unet")
    rate = "train.learning_rate.peak=1e30,train.on_mismatch=restart"
    message = error_of(project, "--pipelines", "train", "--params", rate)
    assert "not finite" in message
    assert "learning_rate.peak" in message
    assert states(project / MODELS / "denoiser/unet") == before


def test_a_denoiser_with_nan_is_not_scored(finished_project: Path, tmp_path: Path) -> None:
    project = copied(finished_project, tmp_path)
    before = states(project / PREDICTIONS)
    file = project / MODELS / "denoiser/unet/diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    torch.nn.init.constant_(weights["conv_out.bias"], torch.nan)
    save_file(weights, file, {"format": "pt"})
    write_checksums(file.parents[1])
    message = error_of(project, "--pipelines", "evaluate")
    assert "Error: evaluate: prediction, " in message
    assert "not finite" in message
    assert states(project / PREDICTIONS) == before
