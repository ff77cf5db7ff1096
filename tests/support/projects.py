"""Fixtures of projects, which have the real configuration and data of their own."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.project import new_project, run_in_process, run_kedro


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without data."""
    return new_project(tmp_path)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which `demo` has run, shared by all tests; do not write to it."""

    def create(folder: Path) -> None:
        folder.mkdir()
        result = run_kedro(new_project(folder), "run", "--pipelines", "demo")
        assert result.returncode == 0, result.stderr
        (folder / "run.log").write_text(result.stderr, encoding="utf-8")

    return created_once(tmp_path_factory, "finished", create)


@pytest.fixture(scope="session")
def exported_project(finished_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished project with an exported model, shared by all tests; do not write to it."""

    def create(folder: Path) -> None:
        shutil.copytree(finished_project, folder)
        with logged(folder / "run.log"):
            result = run_in_process(folder, "--pipelines", "export")
        assert result.exit_code == 0, result.exception

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


@contextmanager
def logged(file: Path) -> Iterator[None]:
    """Write what the package logs in this context to a file."""
    handler, package = logging.FileHandler(file, mode="w"), logging.getLogger("albedo_pipeline")
    level = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.setLevel(level)
        package.removeHandler(handler)
        handler.close()
