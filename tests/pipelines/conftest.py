"""A project folder of its own for each test: the real configuration, its own data."""

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
