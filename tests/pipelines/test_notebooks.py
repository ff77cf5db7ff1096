"""Every notebook runs from its first cell to its last on the results of the pipelines."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient

from albedo_pipeline.provenance.lineage import with_content_digest, with_table_digests
from tests.support.project import ROOT, copied

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LOAD_KEDRO = ("%load_ext kedro.ipython", "%reload_ext kedro.ipython")
"""The kernel has loaded the extension for an earlier notebook; it must load it again."""


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    """One kernel for all notebooks, which saves the imports."""
    manager = KernelManager()
    variables = {"KEDRO_ENV": "test", "PYTHONPATH": str(ROOT / "src")}
    manager.start_kernel(env=os.environ | variables)
    yield manager
    manager.shutdown_kernel(now=True)


def execute(
    kernel: KernelManager, notebook: Path, project: Path, change: tuple[str, str] | None = None
) -> list[dict]:
    """Run a notebook in an empty namespace, and return what its cells show, by MIME type.

    Args:
        project: the folder that the notebook runs in.
        change: a text that one cell has, and the text that replaces it.
    """
    content = nbformat.read(notebook, as_version=4)
    assert not any(cell.get("outputs") for cell in content.cells)  # stored without outputs
    for old, new in (LOAD_KEDRO, *([change] if change else [])):
        changed = [cell for cell in content.cells if old in cell.source]
        assert len(changed) == 1, old
        changed[0].source = changed[0].source.replace(old, new)
    empty = f"%reset -f\nimport os\nos.chdir({str(project)!r})\ndel os"
    content.cells.insert(0, nbformat.v4.new_code_cell(empty))
    client = NotebookClient(content, timeout=120, km=kernel)
    client.execute()
    client.kc.stop_channels()
    outputs = [o for cell in content.cells for o in cell.get("outputs", ())]
    return [o.get("data", {"text/plain": o.get("text", "")}) for o in outputs]


def text_of(shown: list[dict]) -> str:
    """All shown texts and tables."""
    return " ".join(str(v) for data in shown for k, v in data.items() if k.startswith("text"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(kernel: KernelManager, notebook: Path, exported_project: Path) -> None:
    assert any("image/png" in shown for shown in execute(kernel, notebook, exported_project))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("fingerprint", ["the same", "another"])
def test_only_runs_with_the_same_protocol_are_compared(
    kernel: KernelManager, fingerprint: str, exported_project: Path, tmp_path: Path
) -> None:
    """The other run has its reports but no predictions; in one case it has a single group."""
    reports = exported_project / "data" / "test" / "08_reporting"
    metrics = json.loads((reports / "metrics.json").read_text(encoding="utf-8"))
    table = pd.read_parquet(reports / "per_sample.parquet")
    if fingerprint == "another":
        metrics["protocol"] |= {"fingerprint": fingerprint, "reduction": "other words"}
    else:
        table = table[table["group"] == table["group"].iloc[0]]
    scored = {
        "predictions": metrics["lineage"]["predictions"],
        "protocol": metrics["protocol"]["fingerprint"],
    }
    content = json.dumps(with_content_digest(metrics))
    (tmp_path / "metrics.json").write_text(content, encoding="utf-8")
    with_table_digests(table, scored).to_parquet(tmp_path / "per_sample.parquet")

    change = ("Path(this_run)", f"Path({str(tmp_path)!r})")
    shown = execute(kernel, ROOT / "notebooks" / "compare_runs.ipynb", exported_project, change)
    text = text_of(shown)
    same = fingerprint == "the same"
    assert ("NOT equal" in text) == ("other words" in text) == (not same)
    assert any("image/png" in data for data in shown) == same
    assert ("no predictions of the other run" in text) == same
    assert ("PSNR, this run" in text) == same


def test_the_data_notebook_shows_quarantined_samples_and_leaks(
    kernel: KernelManager, exported_project: Path, tmp_path: Path
) -> None:
    project = copied(exported_project, tmp_path)
    folder = project / "data" / "test" / "03_primary"
    audit = pd.read_parquet(folder / "audit.parquet")
    used = audit[audit["reason"] == ""]
    first, other = used["sample_id"].iloc[0], used["sample_id"].iloc[-1]
    audit.loc[audit["sample_id"] == first, ["near_duplicate_of", "leak"]] = [other, True]
    audit.to_parquet(folder / "audit.parquet")
    (folder / "audit_summary.json").write_text("{}", encoding="utf-8")
    quarantined = {
        "sample_id": ["bad/view"],
        "group": ["bad"],
        "reason": ["beauty: <no> such file"],
    }
    pd.DataFrame(quarantined).to_parquet(folder / "quarantine.parquet")

    text = text_of(execute(kernel, ROOT / "notebooks" / "data.ipynb", project))
    assert "repeat another one: 1; leaks: 1" in text
    assert "bad/view" in text
    assert "Leaks between splits" in text
