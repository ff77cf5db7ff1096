"""`encode` and `train` in several processes, as a user runs them."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.support.project import TORCHRUN, copied, run_in_process, start

LATENTS = Path("data/test/05_model_input")
DENOISER = Path("data/test/06_models/denoiser/unet/diffusion_pytorch_model.safetensors")
SMALL_SHARDS = """latents:
  type: albedo_pipeline.shards.datasets.LatentShardsDataset
  filepath: ${globals:data}/05_model_input/latents
  samples_per_shard: 2
"""


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Path:
    """A project without latents and denoiser, whose shards of latents will be small."""
    project = copied(finished_project, tmp_path)
    shutil.rmtree(project / LATENTS)
    for name in ("checkpoints", "denoiser", "tensorboard"):
        shutil.rmtree(project / "data/test/06_models" / name)
    (project / "conf" / "test" / "catalog.yml").write_text(SMALL_SHARDS, encoding="utf-8")
    return project


def files(project: Path) -> dict[str, bytes]:
    folder = project / LATENTS
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_two_processes_give_the_results_of_one(project: Path, finished_project: Path) -> None:
    """The same bytes of latents, and the same weights except for rounding."""
    process = start(project, *TORCHRUN, "run", "--pipelines", "encode,train")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert output.count("saved denoiser") == 1
    one = load_file(project / DENOISER)
    two = load_file(finished_project / DENOISER)
    for name in one:
        assert float((one[name] - two[name]).norm()) < 1e-5 * float(two[name].norm()) + 1e-6, name
    both = files(project)
    assert sum(name.endswith(".arrow") for name in both) > 2
    shutil.rmtree(project / LATENTS)
    assert run_in_process(project, "--pipelines", "encode").exit_code == 0
    assert files(project) == both


def test_other_pipelines_refuse(project: Path) -> None:
    process = start(project, *TORCHRUN, "run", "--pipelines", "evaluate")
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "only the pipelines 'autoencoder', 'encode', 'train' run in several processes" in output
