"""Measures how long `kedro registry list` takes here and in an empty Kedro project.

    python benchmarks/startup.py [--json FILE] [--rounds N]

`kedro new` makes the empty project in a temporary folder. The two projects take turns.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from measuring import argument_parser, by_turns, report

ROOT = Path(__file__).parents[1]
KEDRO = (sys.executable, "-m", "kedro")


def empty_project(folder: Path) -> Path:
    """Make a project with `kedro new`, without example and tools."""
    options = ("--name", "empty", "--tools", "none", "--example", "n", "--telemetry", "no")
    subprocess.run([*KEDRO, "new", *options], cwd=folder, check=True, capture_output=True)
    return folder / "empty"


def seconds(project: Path) -> float:
    """Seconds that `kedro registry list` takes."""
    start = time.perf_counter()
    subprocess.run([*KEDRO, "registry", "list"], cwd=project, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    arguments = argument_parser(__doc__, rounds=7).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        projects = {"albedo_pipeline": ROOT, "empty project": empty_project(Path(folder))}
        cases = {name: partial(seconds, project) for name, project in projects.items()}
        times = by_turns(cases, arguments.rounds)  # the warm-up round fills the file cache
    rows = {
        name: {"median_s": statistics.median(t), "min_s": min(t), "max_s": max(t)}
        for name, t in times.items()
    }
    ratio = rows["albedo_pipeline"]["median_s"] / rows["empty project"]["median_s"]
    report(rows, {"registry_list": ratio}, arguments.json)


if __name__ == "__main__":
    main()
