"""Every notebook runs from its first cell to its last, on what the pipelines left."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tests_support import ROOT, run_kedro

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def project(finished_project: Path, tmp_path_factory) -> Path:
    """A project with an exported model."""
    project = tmp_path_factory.mktemp("notebooks") / "project"
    shutil.copytree(finished_project, project)
    result = run_kedro(project, "run", "--pipelines", "export")
    assert result.returncode == 0, result.stderr
    return project


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(notebook: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    content = nbformat.read(notebook, as_version=4)
    assert not any(cell.get("outputs") for cell in content.cells)  # they are the reader's own
    folder = {"metadata": {"path": str(project)}}
    NotebookClient(content, timeout=120, resources=folder).execute()
    kinds = {
        kind
        for cell in content.cells
        for o in cell.get("outputs", ())
        for kind in o.get("data", ())
    }
    assert "image/png" in kinds


def test_there_are_some() -> None:
    assert NOTEBOOKS
