"""Cache keys are exact to the file: which change of the code makes stored samples again."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT

READER = """from albedo_pipeline.readers.folder_pattern import FolderPatternDataset


class NewDataset(FolderPatternDataset):
    pass
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `src` that the tests change."""
    return shutil.copytree(ROOT / "src", tmp_path_factory.mktemp("source") / "src")


@pytest.fixture(scope="module")
def ingested(
    finished_project: Path, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of the finished project in which every sample is up to date."""
    project = shutil.copytree(finished_project, tmp_path_factory.mktemp("again") / "project")
    samples_made(project, source)  # a signature holds the folder of the raw files, which is new
    return project


def samples_made(project: Path, source: Path) -> dict[str, str]:
    """How many samples each of `ingest` and `encode` makes now; no entry if none."""
    done = subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--pipelines", "ingest,encode"],
        cwd=project,
        env=os.environ | {"KEDRO_ENV": "test", "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(re.findall(r"(ingest|encode): (\d+ of \d+) samples to make", done.stderr))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_code_that_decides_no_stored_byte_makes_nothing_again(ingested: Path, source: Path) -> None:
    package = source / "albedo_pipeline"
    (package / "readers" / "new.py").write_text(READER, encoding="utf-8")
    shutil.copy(package / "metrics/image/rmse.py", package / "metrics/image/new.py")
    for unrelated in (
        "artifacts/tensorboard.py",
        "preprocessing/encode.py",
        "preprocessing/ingest.py",
        "readers/hypersim.py",
        "runtime/progress.py",
    ):
        append(package / unrelated, "\n# a comment\n")
    assert samples_made(ingested, source) == {}


@pytest.mark.parametrize(
    ("file", "pipeline"),
    [
        ("imaging/exposure.py", "ingest"),
        ("readers/pair_files.py", "ingest"),
        ("models/autoencoder.py", "encode"),
    ],
)
def test_code_that_decides_stored_bytes_makes_everything_again(
    ingested: Path, source: Path, file: str, pipeline: str
) -> None:
    append(source / "albedo_pipeline" / file, "\n# a comment\n")
    made = samples_made(ingested, source)
    assert set(made) == {pipeline}
    to_make, total = made[pipeline].split(" of ")
    assert to_make == total
