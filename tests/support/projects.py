"""A project folder of its own for each test: the real configuration, its own data."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.project import new_project, run_kedro


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project."""
    return new_project(tmp_path)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the whole chain has run, once for all tests; do not write to it."""

    def make(folder: Path) -> None:
        folder.mkdir()
        run_logged(new_project(folder), "demo")

    return made_once(tmp_path_factory, "finished", make)


@pytest.fixture(scope="session")
def exported_project(finished_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with an exported model; do not write to it."""

    def make(folder: Path) -> None:
        shutil.copytree(finished_project, folder)
        run_logged(folder, "export")

    return made_once(tmp_path_factory, "exported", make)


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """A folder that one of the processes that share the tests makes, and all see."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with FileLock(shared / f"{name}.lock"):
        if not folder.exists():
            make(folder)
    return folder


def run_logged(folder: Path, pipeline: str) -> None:
    """Run a pipeline; what it says is kept in `run.log`."""
    result = run_kedro(folder, "run", "--pipelines", pipeline)
    assert result.returncode == 0, result.stderr
    (folder / "run.log").write_text(result.stderr, encoding="utf-8")
