"""What the programs share that kill runs."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.support.project import ROOT


def start(project: Path, pipeline: str, changed: str = "") -> subprocess.Popen:
    """`kedro run` of one pipeline in the background, with some parameters changed."""
    parameters = ("--params", changed) if changed else ()
    return subprocess.Popen(
        [sys.executable, "-m", "kedro", "run", "--pipelines", pipeline, *parameters],
        cwd=project,
        env=os.environ
        | {"KEDRO_ENV": "test", "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def arguments(description: str | None) -> argparse.Namespace:
    """`kills` and `seed` of the command line."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kills", nargs="?", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()
