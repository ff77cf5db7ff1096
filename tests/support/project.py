"""What tests of several rooms share: a project in a folder of its own, and Kedro run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from albedo_pipeline import params

ROOT = Path(__file__).parents[2]
PARAMS = {
    "synthesize": params.SynthesizeParams,
    "ingest": params.IngestParams,
    "autoencoder": params.AutoencoderParams,
    "encode": params.EncodeParams,
    "train": params.TrainParams,
    "evaluate": params.EvaluateParams,
    "report": params.ReportParams,
    "export": params.ExportParams,
    "predict": params.PredictParams,
}
"""The model of each pipeline's settings."""


def new_project(folder: Path) -> Path:
    """Copy what Kedro needs to run; the package itself is the repository's."""
    shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf" / "local").mkdir()
    (folder / "src").mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder / name)
    return folder


TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "kedro")


def run_kedro(project: Path, *arguments: str, timeout: float = 240) -> subprocess.CompletedProcess:
    """Run `kedro` in the project as a user would, in conf/test; both streams come as text."""
    return subprocess.run(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=project,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def start(project: Path, *module: str) -> subprocess.Popen:
    """Start a Python module in the project, in conf/test; both streams come as one text."""
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=project,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _environment() -> dict[str, str]:
    ours = {"KEDRO_ENV": "test", "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    return os.environ | ours
