"""A project in a folder of its own, and ways to run Kedro in it."""

import os
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner, Result
from kedro.framework.project import configure_project

from albedo_pipeline import params
from albedo_pipeline.cli import cli

ROOT = Path(__file__).parents[2]
PARAMS = {
    "synthesize": params.SynthesizeParams,
    "ingest": params.IngestParams,
    "autoencoder": params.AutoencoderParams,
    "encode": params.EncodeParams,
    "train": params.TrainParams,
    "evaluate": params.EvaluateParams,
    "sequence": params.SequenceParams,
    "report": params.ReportParams,
    "export": params.ExportParams,
    "plan": params.PlanParams,
    "compare": params.CompareParams,
    "verify": params.VerifyParams,
    "predict": params.PredictParams,
    "app": params.AppParams,
}
"""The pydantic model of each pipeline's settings."""
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "kedro")
"""The module and options that start Kedro in two processes."""


def new_project(folder: Path) -> Path:
    """Copy what Kedro needs to run to a folder; the package stays that of the repository."""
    shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf" / "local").mkdir()
    (folder / "src").mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def copied(project: Path, folder: Path) -> Path:
    """Copy a project to `folder / "project"`."""
    return Path(shutil.copytree(project, folder / "project"))


def run_kedro(project: Path, *arguments: str, timeout: float = 240) -> subprocess.CompletedProcess:
    """Run `kedro` in conf/test and in a new process, as a user does; both streams are text."""
    return subprocess.run(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=project,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_in_process(project: Path, *arguments: str) -> Result:
    """Run `kedro run` in conf/test and in this process, which saves seconds of imports.

    The result has `exit_code`, `exception`, and `stderr` with the error line, but no log lines.
    """
    configure_project("albedo_pipeline", preserve_logging=True)
    with chdir(project), patch.dict(os.environ, KEDRO_ENV="test"):
        return CliRunner().invoke(cli.commands["run"], arguments)


def error_of(project: Path, *arguments: str) -> str:
    """Run `kedro run` in this process, and return the one error line that it must end with."""
    result = run_in_process(project, *arguments)
    assert isinstance(result.exception, SystemExit), result.exception  # no traceback
    assert result.exit_code == 1, result.stderr
    message = result.stderr[result.stderr.index("Error: ") :].strip()
    assert "\n" not in message
    return message


def start(project: Path, *module: str) -> subprocess.Popen:
    """Start a Python module in conf/test, and do not wait; both streams are one text."""
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=project,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _environment() -> dict[str, str]:
    variables = {"KEDRO_ENV": "test", "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    return os.environ | variables
