"""`verify` as a user runs it, and the same check as a plain file inside the export."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.damage import flip_a_byte
from tests.support.project import error_of, run_in_process

EXPORT = Path("data/test/06_models/export")
WEIGHTS = "vae/diffusion_pytorch_model.safetensors"


def run_file(folder: Path) -> subprocess.CompletedProcess:
    """Run the export's own file without the project's code."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-P", str(folder / "verify.py")]
    return subprocess.run(
        command, cwd=folder.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_an_export_passes_on_the_host_that_made_it(
    exported_project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        result = run_in_process(exported_project, "--pipelines", "verify")
    assert result.exit_code == 0, result.exception
    assert f"{EXPORT}: the same picture, to " in caplog.text
    files = {path.name for path in (exported_project / EXPORT / "reference").iterdir()}
    assert files == {"input.png", "output.png", "reference.json", "reference.safetensors"}


@pytest.mark.slow
def test_the_file_in_the_export_needs_no_project(exported_project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported_project / EXPORT, tmp_path / "elsewhere"))
    assert "albedo_pipeline" not in (folder / "verify.py").read_text()
    passed = run_file(folder)
    assert passed.returncode == 0, passed.stderr
    assert "the same picture" in passed.stdout
    flip_a_byte(folder / WEIGHTS)
    failed = run_file(folder)
    assert failed.returncode == 1
    assert failed.stdout == f"{folder}: {WEIGHTS} is not what was exported; get the folder again\n"


def test_a_changed_export_is_one_line(exported_project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported_project / EXPORT, tmp_path / "export"))
    flip_a_byte(folder / WEIGHTS)
    message = error_of(
        exported_project, "--pipelines", "verify", "--params", f"verify.model={folder}"
    )
    assert f"{WEIGHTS} is not what was exported" in message
    missing = error_of(exported_project, "--pipelines", "verify", "--params", "verify.model=none")
    assert missing == "Error: none: no exported model with a reference; export the model again"
