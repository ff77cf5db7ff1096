"""`ingest`, `encode`, `evaluate` and `predict` on a Ray cluster, with the bytes of one process."""

import shutil
from pathlib import Path

import pytest

from tests.support.project import copied, run_in_process

DATA = Path("data/test")
SHARDS = {
    "ingest": DATA / "03_primary/pairs",
    "encode": DATA / "05_model_input/latents",
    "evaluate": DATA / "07_model_output/predictions",
}
"""The folder of shards that each pipeline writes."""


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Path:
    return copied(finished_project, tmp_path)


def on_ray(pipeline: str, ray_cluster) -> str:
    """The setting `compute` of a pipeline, as an argument of `kedro run`."""
    return f"{pipeline}.compute.engine=ray,{pipeline}.compute.address={ray_cluster.address}"


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their names, without those that say how long something took."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".html")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if path.name == "index.json" or path.suffix != ".json"
    }


@pytest.mark.slow
def test_the_shards_are_those_of_one_process(
    project: Path, finished_project: Path, ray_cluster
) -> None:
    for pipeline, folder in SHARDS.items():
        shutil.rmtree(project / folder)
        shutil.rmtree((project / folder).with_name(f".{folder.name}.ledger"))
        result = run_in_process(
            project, "--pipelines", pipeline, "--params", on_ray(pipeline, ray_cluster)
        )
        assert result.exit_code == 0, result.stderr
        assert contents(project / folder) == contents(finished_project / folder), pipeline


@pytest.mark.slow
def test_the_predicted_albedo_is_that_of_one_process(project: Path, ray_cluster) -> None:
    results, images = (
        project / DATA / "07_model_output/user",
        next((project / DATA / "01_raw").rglob("*.exr")).parent,
    )
    made = []
    for settings in ("predict.device=cpu", on_ray("predict", ray_cluster)):
        arguments = f"predict.input={images},predict.model=bundled,{settings}"
        result = run_in_process(project, "--pipelines", "predict", "--params", arguments)
        assert result.exit_code == 0, result.stderr
        made.append({k: v for k, v in contents(results).items() if k != "index.json"})
        shutil.rmtree(results)
    assert any(name.endswith("_albedo.exr") for name in made[0])
    assert made[0] == made[1]
