"""Files with colour tags and alpha, ingested: pixels, manifest, audit and quarantine."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.audit import audit_of, summary_of
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.manifest import manifest_of, quarantine_of
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.shards.datasets import PairShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards
from tests.support import broken_images as broken
from tests.support import colour_files as files

PARAMS = IngestParams.model_validate(
    {
        "resolution": 16,
        "split": {"test": 0, "validation": 0},
        "exposure": {"policy": "none"},
        "max_quarantined_share": 1,
    }
)
CODES = np.full((16, 16, 3), (200, 100, 50), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven beauties with one albedo, and the list that names them."""
    picture = Image.fromarray(CODES)
    picture.save(tmp_path / "albedo.png")
    picture.save(tmp_path / "p3.jpg", icc_profile=files.DISPLAY_P3, quality=100, subsampling=0)
    picture.save(tmp_path / "srgb.png", icc_profile=files.SRGB)
    picture.save(tmp_path / "plain.png")
    clear = np.dstack([CODES, np.zeros((16, 16), np.uint8)])
    broken.image(tmp_path / "clear.png", clear, tuple("RGBA"))
    broken.image(tmp_path / "log.dpx", CODES, attributes={"dpx:Transfer": "Logarithmic"})
    files.heif(tmp_path / "phone.heic", b"heic")
    Image.new("LAB", (16, 16), (200, 20, 30)).save(tmp_path / "lab.tif")
    names = ("p3.jpg", "srgb.png", "plain.png", "clear.png", "log.dpx", "phone.heic", "lab.tif")
    (tmp_path / "pairs.txt").write_text("".join(f"{name} albedo.png\n" for name in names))
    return tmp_path


def ingested(folder: Path, **options) -> tuple[PairShards, pd.DataFrame]:
    """The shards and the audit, by sample."""
    references = FilenameListDataset(filepath=str(folder / "pairs.txt"), **options).load()
    dataset = PairShardsDataset(filepath=str(folder / "pairs"))
    dataset.save(PairBuild(references, PARAMS))
    shards = dataset.load()
    audit = audit_of(shards, manifest_of(shards, PARAMS.split), quarantine_of(shards))
    return shards, audit.set_index("sample_id")


def test_auto_converts_or_quarantines(folder: Path) -> None:
    shards, audit = ingested(folder, colour_space="auto")
    sources = audit[audit["reason"] == ""]["beauty_colour_source"].to_dict()
    assert sources == {
        "p3": "ICC profile (Display P3), converted",
        "srgb": "ICC profile (sRGB)",
        "plain": "pixel type",
    }
    # LittleCMS converts (200, 100, 50) to (215, 93, 31).
    for row, expected in enumerate([(215, 93, 31), (200, 100, 50), (200, 100, 50)]):
        stored = shards.tensor("beauty", row)[:, 8, 8]
        np.testing.assert_allclose(stored / 257, expected, atol=1)
    reasons = audit[audit["reason"] != ""]["reason"]
    for name, reason in {
        "clear": "clear.png: alpha is 0 everywhere, .* option alpha",
        "log": "log.dpx: DPX transfer Logarithmic cannot be converted .log-encoded.*colour_space",
        "phone": "phone.heic: the format HEIC, which the installed package OpenImageIO cannot",
        "lab": "lab.tif: Lab colours",
    }.items():
        assert reasons.str.contains(reason)[name], reasons[name]
    assert summary_of(audit.reset_index())["flags"]["colour_suspicion"] == 0


def test_a_declared_space_is_used_and_its_contradiction_flagged(folder: Path) -> None:
    shards, audit = ingested(folder, colour_space="srgb", alpha="ignore")
    used = audit[audit["reason"] == ""]
    assert used.index.tolist() == ["p3", "srgb", "plain", "clear", "log"]
    for row in range(4):
        stored = shards.tensor("beauty", row)[:, 8, 8]
        np.testing.assert_allclose(stored / 257, (200, 100, 50), atol=1)
    assert set(used["beauty_colour_source"]) == {"declared"}
    suspicions = used["colour_suspicion"].to_dict()
    assert suspicions == {
        "p3": "beauty: declared srgb, but the file says ICC profile (Display P3)",
        "srgb": "",
        "plain": "",
        "clear": "",
        "log": "beauty: declared srgb, but the file says DPX transfer Logarithmic",
    }
    assert summary_of(audit.reset_index())["flags"]["colour_suspicion"] == 2
