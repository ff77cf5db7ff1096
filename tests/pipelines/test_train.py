"""`train` as a user runs it: stopped by a signal, continued, and started twice."""

import logging
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.support.project import copied, error_of, run_in_process, start

MODELS = Path("data/test/06_models")
LONG = (
    *("--pipelines", "train"),
    *("--params", "train.max_steps=60,train.checkpoints.every=5,train.validation.every=20"),
)


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Path:
    """A project whose denoiser is not trained yet."""
    project = copied(finished_project, tmp_path)
    for name in ("checkpoints", "denoiser", "tensorboard"):
        shutil.rmtree(project / MODELS / name)
    return project


def wait_for_a_checkpoint(project: Path, process: subprocess.Popen) -> None:
    while not list((project / MODELS / "checkpoints").glob("step-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def weights(project: Path) -> dict:
    return load_file(project / MODELS / "denoiser/unet/diffusion_pytorch_model.safetensors")


@pytest.mark.slow
def test_a_training_that_sigterm_paused_continues_and_a_second_one_is_refused(
    project: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the pause nor the refused training changes the weights."""
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(project, undisturbed)
    assert run_in_process(undisturbed, *LONG).exit_code == 0

    process = start(project, "kedro", "run", *LONG)
    wait_for_a_checkpoint(project, process)
    process.send_signal(signal.SIGSTOP)
    refusal = error_of(project, *LONG)
    assert f"another training writes here (process {process.pid} on" in refusal

    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 75, output
    assert "paused by SIGTERM" in output
    assert "Traceback" not in output
    assert not (project / MODELS / "denoiser").exists()

    with caplog.at_level(logging.INFO, "albedo_pipeline"):
        assert run_in_process(project, *LONG).exit_code == 0
    assert "resuming from" in caplog.text
    one, two = weights(project), weights(undisturbed)
    assert all(bool((one[name] == two[name]).all()) for name in one)
