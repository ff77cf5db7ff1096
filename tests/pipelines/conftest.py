"""A project folder of its own for each test: the real configuration, its own data."""

import shutil
from pathlib import Path

import pytest
from tests_support import new_project, run_kedro


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
    (folder / "run.log").write_text(result.stderr, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def exported_project(finished_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with an exported model; do not write to it."""
    folder = Path(
        shutil.copytree(finished_project, tmp_path_factory.mktemp("exported") / "project")
    )
    result = run_kedro(folder, "run", "--pipelines", "export")
    assert result.returncode == 0, result.stderr
    (folder / "export.log").write_text(result.stderr, encoding="utf-8")
    return folder
