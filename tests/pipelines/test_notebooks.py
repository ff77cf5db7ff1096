"""Every notebook runs from its first cell to its last, on what the pipelines left."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tests_support import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(notebook: Path, exported_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    content = nbformat.read(notebook, as_version=4)
    assert not any(cell.get("outputs") for cell in content.cells)  # they are the reader's own
    folder = {"metadata": {"path": str(exported_project)}}
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
