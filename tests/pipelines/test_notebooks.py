"""Every notebook runs from its first cell to its last, and is stored with the demo's outputs."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient

from albedo_pipeline.artifacts.tables import read_table
from albedo_pipeline.params.evaluate import BootstrapParams
from albedo_pipeline.provenance.lineage import with_content_digest, with_table_digests
from albedo_pipeline.reporting.sections.comparison import compare
from tests.support.project import ROOT, copied
from tools.notebooks import pictures, private_texts, texts, tidy

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OTHER_RUN, EXAMPLE_RUN = 'Path("notebooks/example_run")', ROOT / "notebooks" / "example_run"
"""How `compare_runs` names the other run, and its folder."""
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


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(kernel: KernelManager, notebook: Path, exported_project: Path) -> None:
    """`compare_runs` compares the run with itself, because the stored one is the demo's."""
    own = f"Path({str(exported_project / 'data/test/08_reporting')!r})"
    change = (OTHER_RUN, own) if notebook.stem == "compare_runs" else None
    shown = execute(kernel, notebook, exported_project, change)
    assert any("image/png" in data for data in shown)
    assert "INFO" not in text_of(shown)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_with_outputs_that_tell_nothing_of_the_machine(notebook: Path) -> None:
    content = nbformat.read(notebook, as_version=4)
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert pictures(content)
    assert {output.output_type for output in outputs} <= {
        "stream",
        "display_data",
        "execute_result",
    }
    assert not any(output.get("name") == "stderr" for output in outputs)
    assert private_texts(content) == []
    assert not re.search(r"0x[0-9a-f]{6}|\bINFO\b", " ".join(texts(content)))


def test_the_stored_pictures_are_small() -> None:
    files = [f for path in NOTEBOOKS for f in pictures(nbformat.read(path, as_version=4))]
    assert sum(map(len, files)) < 225_000


def test_the_stored_run_is_undamaged_and_compared_with_the_demo() -> None:
    metrics = json.loads((EXAMPLE_RUN / "metrics.json").read_text(encoding="utf-8"))
    table = read_table(EXAMPLE_RUN / "per_sample.parquet", "evaluate")
    found = compare(metrics, table, EXAMPLE_RUN, "test", BootstrapParams(resamples=100))
    assert len(found.samples) == metrics["test"]["n"] == 75
    notebook = nbformat.read(ROOT / "notebooks" / "compare_runs.ipynb", as_version=4)
    shown = " ".join(texts(notebook))
    assert f"{metrics['protocol']['fingerprint']} – equal" in shown
    assert "every difference is 0" not in shown


def test_private_texts_and_chance_are_found() -> None:
    """In the outputs of cells that were not tidied; `data/test` is no absolute path."""
    table = '<style>#T_0a1b2 td</style><table id="T_0a1b2"></table><table id="T_ffff0">'
    shown = {"text/plain": "<Styler object at 0x7f2982298c10>", "text/html": table}
    streams = [("stdout", "/home/me/run data/test"), ("stderr", "/usr/lib/python3: warning")]
    outputs = [
        nbformat.v4.new_output("execute_result", data=shown, execution_count=1),
        *(nbformat.v4.new_output("stream", name=name, text=text) for name, text in streams),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    assert private_texts(notebook) == ["/home/me/run", "/usr/lib/python3:"]
    tidy(notebook)
    assert private_texts(notebook) == ["/home/me/run"]
    result = notebook.cells[0].outputs[0].data
    assert result["text/plain"] == "<Styler object>"
    assert result["text/html"] == (
        '<style>#T_00000 td</style><table id="T_00000"></table><table id="T_00001">'
    )


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.slow
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

    change = (OTHER_RUN, f"Path({str(tmp_path)!r})")
    shown = execute(kernel, ROOT / "notebooks" / "compare_runs.ipynb", exported_project, change)
    text = text_of(shown)
    same = fingerprint == "the same"
    assert ("NOT equal" in text) == ("other words" in text) == (not same)
    assert any("image/png" in data for data in shown) == same
    assert ("no predictions of the other run" in text) == same
    assert ("PSNR, this run" in text) == same


@pytest.mark.slow
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
