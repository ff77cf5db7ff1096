"""Cache keys are exact to the file: which change of the code makes stored samples again."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, new_project

READER = """from albedo_pipeline.readers.folder_pattern import FolderPatternDataset


class NewDataset(FolderPatternDataset):
    pass
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `src` that the tests change."""
    return shutil.copytree(ROOT / "src", tmp_path_factory.mktemp("source") / "src")


@pytest.fixture(scope="module")
def encoded(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with encoded pairs."""
    project = new_project(tmp_path_factory.mktemp("project"))
    run(project, source, "synthesize,ingest,autoencoder,encode")
    return project


def run(project: Path, source: Path, pipelines: str) -> str:
    """Run pipelines with the code in `source`; returns the log."""
    done = subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--pipelines", pipelines],
        cwd=project,
        env=os.environ | {"KEDRO_ENV": "test", "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def samples_made(project: Path, source: Path) -> dict[str, str]:
    """By pipeline, how many samples `ingest` and `encode` make now; empty if none."""
    log = run(project, source, "ingest,encode")
    return dict(re.findall(r"(ingest|encode): (\d+ of \d+) samples to make", log))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.slow
def test_code_that_decides_no_stored_byte_makes_nothing_again(encoded, source) -> None:
    package = source / "albedo_pipeline"
    (package / "readers" / "new.py").write_text(READER, encoding="utf-8")
    metric = (package / "metrics/image/rmse.py").read_text(encoding="utf-8")
    (package / "metrics/image/new.py").write_text(metric.replace('"rmse"', '"new"'), "utf-8")
    for unrelated in (
        "artifacts/tensorboard.py",
        "preprocessing/encode.py",
        "preprocessing/ingest.py",
        "readers/hypersim.py",
        "runtime/progress.py",
    ):
        append(package / unrelated, "\n# a comment\n")
    assert samples_made(encoded, source) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "pipeline"),
    [
        ("imaging/exposure.py", "ingest"),
        ("readers/pair_files.py", "ingest"),
        ("models/autoencoder.py", "encode"),
    ],
)
def test_code_that_decides_stored_bytes_makes_everything_again(
    encoded: Path, source: Path, file: str, pipeline: str
) -> None:
    append(source / "albedo_pipeline" / file, "\n# a comment\n")
    made = samples_made(encoded, source)
    assert set(made) == {pipeline}
    to_make, total = made[pipeline].split(" of ")
    assert to_make == total
