"""A project folder of its own for each test: the real configuration, its own data."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def new_project(folder: Path) -> Path:
    """Copy what Kedro needs to run; the package itself is the installed one."""
    shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf" / "local").mkdir()
    (folder / "src").mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def run_kedro(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run `kedro` in the project as a user would; both streams come as text."""
    return subprocess.run(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "KEDRO_ENV": "test", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project."""
    return new_project(tmp_path)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the whole chain has run, once for all tests; do not write to it."""
    folder = new_project(tmp_path_factory.mktemp("project"))
    result = run_kedro(folder, "run", "--pipelines", "demo")
    assert result.returncode == 0, result.stderr
    return folder
