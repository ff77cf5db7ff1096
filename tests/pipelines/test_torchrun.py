"""`train` in several processes, as a user runs it."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.support.project import TORCHRUN, copied, start

DENOISER = Path("data/test/06_models/denoiser/unet/diffusion_pytorch_model.safetensors")


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Path:
    """A project without a denoiser."""
    project = copied(finished_project, tmp_path)
    for name in ("checkpoints", "denoiser", "tensorboard"):
        shutil.rmtree(project / "data/test/06_models" / name)
    return project


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one(project: Path, finished_project: Path) -> None:
    """They differ by no more than rounding."""
    process = start(project, *TORCHRUN, "run", "--pipelines", "train")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert output.count("saved denoiser") == 1
    one = load_file(project / DENOISER)
    two = load_file(finished_project / DENOISER)
    for name in one:
        assert float((one[name] - two[name]).norm()) < 1e-5 * float(two[name].norm()) + 1e-6, name


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["encode", "evaluate"])
def test_other_pipelines_refuse_and_name_ray(project: Path, pipeline: str) -> None:
    process = start(project, *TORCHRUN, "run", "--pipelines", pipeline)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    expected = f"only the pipelines 'autoencoder', 'train' run under it, not {pipeline}."
    assert expected in output
    assert "compute.engine 'ray'" in output
