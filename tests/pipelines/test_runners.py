"""Other ways to start a run: Kedro's parallel runner, and Python without docstrings."""

import shutil
from pathlib import Path

import pytest

from tests.support.project import copied, run_kedro

PRIMARY = Path("data/test/03_primary")


@pytest.mark.slow
def test_the_parallel_runner_makes_the_same_pairs(finished_project: Path, tmp_path: Path) -> None:
    project = copied(finished_project, tmp_path)
    shutil.rmtree(project / PRIMARY)
    result = run_kedro(project, "run", "--runner=ParallelRunner", "--pipelines", "ingest")
    assert result.returncode == 0, result.stderr
    for name in ("pairs/index.json", "manifest.parquet", "audit.parquet", "audit_summary.json"):
        one, two = (
            (folder / PRIMARY / name).read_bytes() for folder in (project, finished_project)
        )
        assert one == two, name


def test_python_without_docstrings_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    result = run_kedro(project, "run", "--pipelines", "ingest")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1] == (
        "Error: PYTHONOPTIMIZE=2: transformers cannot be imported without docstrings; unset it, "
        "or set it to 1"
    )
