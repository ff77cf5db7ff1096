"""Every notebook runs from its first cell to its last, on what the pipelines left."""

import json
import shutil
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from tests.support.project import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def execute(notebook: Path, project: Path, change: tuple[str, str] | None = None) -> list[dict]:
    """What its cells show, by kind, as a reader in the project's folder has it."""
    content = nbformat.read(notebook, as_version=4)
    assert not any(cell.get("outputs") for cell in content.cells)  # they are the reader's own
    if change is not None:
        changed = [cell for cell in content.cells if change[0] in cell.source]
        assert len(changed) == 1
        changed[0].source = changed[0].source.replace(*change)
    folder = {"metadata": {"path": str(project)}}
    NotebookClient(content, timeout=120, resources=folder).execute()
    outputs = [o for cell in content.cells for o in cell.get("outputs", ())]
    return [o.get("data", {"text/plain": o.get("text", "")}) for o in outputs]


def words(shown: list[dict]) -> str:
    """All of it that is text."""
    return " ".join(str(v) for data in shown for k, v in data.items() if k.startswith("text"))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(notebook: Path, exported_project: Path) -> None:
    assert any("image/png" in shown for shown in execute(notebook, exported_project))


def test_there_are_some() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("fingerprint", ["the same", "another"])
def test_only_runs_of_one_protocol_stand_side_by_side(
    fingerprint: str, exported_project: Path, tmp_path: Path
) -> None:
    """Of the other run only its reports are there; in one it has a single group."""
    reports = exported_project / "data" / "test" / "08_reporting"
    metrics = json.loads((reports / "metrics.json").read_text(encoding="utf-8"))
    table = pd.read_parquet(reports / "per_sample.parquet")
    if fingerprint == "another":
        metrics["protocol"] |= {"fingerprint": fingerprint, "reduction": "other words"}
    else:
        table = table[table["group"] == table["group"].iloc[0]]
    (tmp_path / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    table.to_parquet(tmp_path / "per_sample.parquet")

    change = ("Path(this_run)", f"Path({str(tmp_path)!r})")
    shown = execute(ROOT / "notebooks" / "compare_runs.ipynb", exported_project, change)
    text = words(shown)
    alike = fingerprint == "the same"
    assert ("NOT equal" in text) == ("other words" in text) == (not alike)
    assert any("image/png" in data for data in shown) == alike
    assert ("no predictions of the other run" in text) == alike
    assert ("PSNR, this run" in text) == alike


def test_the_data_notebook_shows_what_was_set_aside_and_what_leaks(
    exported_project: Path, tmp_path: Path
) -> None:
    project = Path(shutil.copytree(exported_project, tmp_path / "project"))
    folder = project / "data" / "test" / "03_primary"
    audit = pd.read_parquet(folder / "audit.parquet")
    used = audit[audit["reason"] == ""]
    first, other = used["sample_id"].iloc[0], used["sample_id"].iloc[-1]
    audit.loc[audit["sample_id"] == first, ["near_duplicate_of", "leak"]] = [other, True]
    audit.to_parquet(folder / "audit.parquet")
    (folder / "audit_summary.json").write_text("{}", encoding="utf-8")
    away = {"sample_id": ["bad/view"], "group": ["bad"], "reason": ["beauty: <no> such file"]}
    pd.DataFrame(away).to_parquet(folder / "quarantine.parquet")

    shown = execute(ROOT / "notebooks" / "data.ipynb", project)
    text = words(shown)
    assert "repeat another one: 1; leaks: 1" in text
    assert "bad/view" in text
    assert "Leaks between splits" in text
