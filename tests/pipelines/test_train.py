"""`train` as a user runs it: paused, in several processes, twice at once."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.support.project import TORCHRUN, run_kedro, start

CHECKPOINTS = Path("data/test/06_models/checkpoints")
LONG = "train.max_steps=60,train.checkpoints.every=5,train.validation.every=20"


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Path:
    """A project whose denoiser is not yet trained."""
    project = tmp_path / "project"
    shutil.copytree(finished_project, project)
    models = project / "data" / "test" / "06_models"
    for name in ("checkpoints", "denoiser", "tensorboard"):
        shutil.rmtree(models / name)
    return project


def wait_for_a_checkpoint(project: Path, process: subprocess.Popen) -> None:
    while not list((project / CHECKPOINTS).glob("step-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def weights(project: Path) -> dict:
    file = "data/test/06_models/denoiser/unet/diffusion_pytorch_model.safetensors"
    return load_file(project / file)


def test_sigterm_pauses_with_75_and_the_next_run_continues(project: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(project, whole)
    assert run_kedro(whole, "run", "--pipelines", "train", "--params", LONG).returncode == 0
    process = start(project, "kedro", "run", "--pipelines", "train", "--params", LONG)
    wait_for_a_checkpoint(project, process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 75, output
    assert "paused by SIGTERM" in output
    assert "Traceback" not in output
    assert not (project / "data/test/06_models/denoiser").exists()
    again = run_kedro(project, "run", "--pipelines", "train", "--params", LONG)
    assert again.returncode == 0, again.stderr
    assert "resuming from" in again.stderr
    one, two = weights(project), weights(whole)
    assert all(bool((one[name] == two[name]).all()) for name in one)


def test_a_second_training_on_the_folder_refuses(project: Path) -> None:
    process = start(project, "kedro", "run", "--pipelines", "train", "--params", LONG)
    wait_for_a_checkpoint(project, process)
    process.send_signal(signal.SIGSTOP)
    second = run_kedro(project, "run", "--pipelines", "train", "--params", LONG)
    process.send_signal(signal.SIGCONT)
    assert second.returncode == 1
    assert f"another training writes here (process {process.pid} on" in second.stderr
    assert "Traceback" not in second.stderr
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output


def test_torchrun_is_all_it_takes(project: Path, finished_project: Path) -> None:
    process = start(project, *TORCHRUN, "run", "--pipeline", "train")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert output.count("saved denoiser") == 1
    one, two = weights(project), weights(finished_project)
    for name in one:
        assert float((one[name] - two[name]).norm()) < 1e-5 * float(two[name].norm()) + 1e-6, name


def test_torchrun_of_another_pipeline_refuses(project: Path) -> None:
    process = start(project, *TORCHRUN, "run", "--pipelines", "evaluate")
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "only the pipelines 'train' and 'encode' run in several processes" in output
