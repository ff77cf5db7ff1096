"""A folder copied from a Mac is ingested as if it had no companion files, which are counted."""

import logging
import tarfile
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.params import IngestParams
from albedo_pipeline.pipelines.ingest.nodes import describe_pairs, normalise_pairs
from albedo_pipeline.readers.folder_pattern import FolderPatternDataset
from albedo_pipeline.shards.datasets import PairShardsDataset
from tests.support.broken_images import image
from tests.support.companions import add_companions

PARAMS = IngestParams.model_validate(
    {"resolution": 16, "exposure": {"policy": "none"}, "split": {"validation": 0, "test": 0}}
)


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """Three pairs in two scenes."""
    folder = tmp_path / "renders"
    for number, scene in enumerate(("hall", "hall", "yard")):
        (folder / scene).mkdir(parents=True, exist_ok=True)
        for role in ("beauty", "albedo"):
            pixels = np.full((16, 16, 3), 50 + 40 * number, np.uint8)
            image(folder / scene / f"{number}_{role}.png", pixels)
    return folder


def summary(source: Path, target: Path) -> tuple[dict, list[str]]:
    """The audit's summary and the samples."""
    reader = FolderPatternDataset(filepath=str(source), colour_space="srgb")
    dataset = PairShardsDataset(filepath=str(target))
    build, split = normalise_pairs(reader.load(), PARAMS)
    dataset.save(build)
    manifest, _, _, counted = describe_pairs(dataset.load(), split, PARAMS)
    return counted, manifest["sample_id"].tolist()


def test_companions_are_passed_over_and_counted(renders: Path, tmp_path: Path, caplog) -> None:
    clean, samples = summary(renders, tmp_path / "clean")
    assert (clean["samples"], clean["quarantined"], clean["companions"]) == (3, 0, 0)
    assert "companions" not in (tmp_path / "clean" / "index.json").read_text(encoding="utf-8")
    added = add_companions(renders)
    (renders / "@eaDir" / "hall").mkdir(parents=True)
    image(renders / "@eaDir" / "hall" / "0_beauty.png", np.zeros((4, 4, 3), np.uint8))
    with caplog.at_level(logging.INFO):
        copied, copied_samples = summary(renders, tmp_path / "copied")
    assert added == 8
    assert (copied["samples"], copied["quarantined"], copied["companions"]) == (3, 0, 9)
    assert copied_samples == samples
    assert copied["pairs"] == clean["pairs"]
    assert caplog.text.count("passed over 9 companion file(s) (._name, .DS_Store") == 1


def test_companions_in_an_archive(renders: Path, tmp_path: Path) -> None:
    add_companions(renders)
    with tarfile.open(tmp_path / "renders.tar", "w") as archive:
        archive.add(renders, arcname=".")
        archive.add(renders / "hall" / "._0_beauty.png", "__MACOSX/hall/0_beauty.png")
    counted, samples = summary(tmp_path / "renders.tar", tmp_path / "pairs")
    assert (counted["samples"], counted["quarantined"], counted["companions"]) == (3, 0, 9)
    assert samples == ["hall/0", "hall/1", "yard/2"]
