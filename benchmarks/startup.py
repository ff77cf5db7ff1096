"""How long `kedro registry list` takes here and in an empty Kedro project.

    python benchmarks/startup.py [--json FILE] [--rounds N]

The empty project is made by `kedro new` in a temporary folder; the two run by turns.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEDRO = (sys.executable, "-m", "kedro")


def empty_project(folder: Path) -> Path:
    """A project as `kedro new` makes it, with no example and no tools."""
    options = ("--name", "empty", "--tools", "none", "--example", "n", "--telemetry", "no")
    subprocess.run([*KEDRO, "new", *options], cwd=folder, check=True, capture_output=True)
    return folder / "empty"


def seconds(project: Path) -> float:
    """Wall time of one `kedro registry list`."""
    start = time.perf_counter()
    subprocess.run([*KEDRO, "registry", "list"], cwd=project, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        projects = {"albedo_pipeline": ROOT, "empty project": empty_project(Path(folder))}
        for project in projects.values():
            seconds(project)  # warm the file cache
        times = {name: [] for name in projects}
        for _ in range(arguments.rounds):
            for name, project in projects.items():
                times[name].append(seconds(project))
    rows = {
        name: {"median_s": statistics.median(t), "min_s": min(t), "max_s": max(t)}
        for name, t in times.items()
    }
    ratio = rows["albedo_pipeline"]["median_s"] / rows["empty project"]["median_s"]
    for name, row in rows.items():
        print(f"{name:16} " + "  ".join(f"{key} {value:.2f}" for key, value in row.items()))
    print(f"ratio of medians {ratio:.2f}")
    if arguments.json:
        machine = (
            f"{platform.processor() or platform.machine()}, Python {platform.python_version()}"
        )
        result = {"machine": machine, "rows": rows, "ratios": {"registry_list": ratio}}
        arguments.json.write_text(json.dumps(result, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
