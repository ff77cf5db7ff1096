"""Fixtures of projects, which have the real configuration and data of their own."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.project import new_project, run_kedro


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without data."""
    return new_project(tmp_path)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which `demo` has run, shared by all tests; do not write to it."""

    def create(folder: Path) -> None:
        folder.mkdir()
        run_logged(new_project(folder), "demo")

    return created_once(tmp_path_factory, "finished", create)


@pytest.fixture(scope="session")
def exported_project(finished_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished project with an exported model, shared by all tests; do not write to it."""

    def create(folder: Path) -> None:
        shutil.copytree(finished_project, folder)
        run_logged(folder, "export")

    return created_once(tmp_path_factory, "exported", create)


def created_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, create: Callable[[Path], None]
) -> Path:
    """A folder that the first of pytest-xdist's processes creates and all of them use."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with FileLock(shared / f"{name}.lock"):
        if not folder.exists():
            create(folder)
    return folder


def run_logged(folder: Path, pipeline: str) -> None:
    """Run a pipeline that must succeed, and keep its log in `run.log`."""
    result = run_kedro(folder, "run", "--pipelines", pipeline)
    assert result.returncode == 0, result.stderr
    (folder / "run.log").write_text(result.stderr, encoding="utf-8")
