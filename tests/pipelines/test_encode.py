"""`encode` as a user runs it, in several processes."""

import shutil
from pathlib import Path

import pytest

from tests.support.project import TORCHRUN, run_kedro, start

LATENTS = Path("data/test/05_model_input")
SMALL_SHARDS = """latents:
  type: albedo_pipeline.shards.datasets.LatentShardsDataset
  filepath: ${globals:data}/05_model_input/latents
  samples_per_shard: 2
"""


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Path:
    """A project with a few small shards of latents to come."""
    project = tmp_path / "project"
    shutil.copytree(finished_project, project)
    shutil.rmtree(project / LATENTS)
    (project / "conf" / "test" / "catalog.yml").write_text(SMALL_SHARDS, encoding="utf-8")
    return project


def files(project: Path) -> dict[str, bytes]:
    folder = project / LATENTS
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_torchrun_divides_the_samples_and_leaves_the_same_bytes(project: Path) -> None:
    assert run_kedro(project, "run", "--pipelines", "encode").returncode == 0
    alone = files(project)
    assert sum(name.endswith(".arrow") for name in alone) > 2
    shutil.rmtree(project / LATENTS)
    process = start(project, *TORCHRUN, "run", "--pipelines", "encode")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert files(project) == alone
