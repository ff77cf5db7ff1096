"""What `kill.py` and `kill_data.py` share."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.support.project import ROOT


def start(project: Path, pipeline: str, changes: str = "") -> subprocess.Popen:
    """Start `kedro run` of one pipeline, with changed parameters, and do not wait for it."""
    parameters = ("--params", changes) if changes else ()
    return subprocess.Popen(
        [sys.executable, "-m", "kedro", "run", "--pipelines", pipeline, *parameters],
        cwd=project,
        env=os.environ
        | {"KEDRO_ENV": "test", "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """Parser of the command line's `kills` and `seed`."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kills", nargs="?", type=int, default=30, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    return parser
