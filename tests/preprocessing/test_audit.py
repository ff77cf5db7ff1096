"""The audit: findings in pairs that were changed to have them."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.audit import audit_of, summary_of
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.manifest import manifest_of, quarantine_of
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.raw_pairs import RawPair
from albedo_pipeline.shards.datasets import PairShardsDataset

PARAMS = IngestParams.model_validate(
    {"resolution": 64, "split": {"test": 0.4, "validation": 0.1}, "max_quarantined_share": 0.5}
)


def textured(name: str, seed: int) -> RawPair:
    """A pair of 64 x 64 pixels: random tiles under a smooth light."""
    random = np.random.default_rng(seed)
    tiles = random.uniform(0.05, 0.9, (16, 16, 3)).astype(np.float32)
    albedo = np.kron(tiles, np.ones((4, 4, 1), np.float32))
    light = np.linspace(0.2, 1.0, 64, dtype=np.float32)[:, None, None]
    return RawPair(name, name.split("/")[0], albedo * light, albedo, np.ones((64, 64), bool))


def changed(pair: RawPair, **changes) -> RawPair:
    return RawPair(**{**vars(pair), **changes})


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory):
    """An audit of 20 groups with one pair each, some of them changed."""
    folder: Path = tmp_path_factory.mktemp("audit")
    pairs = [textured(f"g{i:02d}/a", i) for i in range(20)]
    beauty, albedo = pairs[1].beauty.copy(), pairs[1].albedo.copy()
    beauty[0, 0], albedo[1, 1, 0] = np.nan, -1
    pairs[1] = changed(pairs[1], beauty=beauty, albedo=albedo)
    pairs[2] = changed(pairs[2], albedo=np.roll(pairs[2].albedo, 4, axis=1))
    pairs[3] = changed(pairs[3], albedo=pairs[3].albedo * 0.01)
    pairs[4] = changed(pairs[4], albedo=pairs[4].albedo * 2)
    pairs[5] = changed(pairs[5], albedo=pairs[5].albedo ** (1 / 2.2))
    pairs[6] = changed(pairs[6], valid=np.zeros((64, 64), bool))
    for copy, original in ((7, 8), (9, 10)):
        pairs[copy] = changed(pairs[original], sample_id=f"g{copy:02d}/a", group=f"g{copy:02d}")
    noise = np.random.default_rng(0).normal(1, 0.003, (64, 64, 3)).astype(np.float32)
    pairs[9] = changed(pairs[9], beauty=pairs[9].beauty * noise)
    pairs[11] = changed(pairs[11], beauty=pairs[11].beauty * np.float32(1e-5))
    raw = FilenameListDataset(filepath=str(folder / "raw" / "pairs.txt"))
    raw.save(pairs)
    dataset = PairShardsDataset(filepath=str(folder / "pairs"))
    dataset.save(PairBuild(raw.load(), PARAMS))
    shards = dataset.load()
    manifest = manifest_of(shards, PARAMS.split)
    return audit_of(shards, manifest, quarantine_of(shards)).set_index("sample_id")


def test_unchanged_samples_have_no_findings(audit) -> None:
    clean = audit.loc[["g00/a", *(f"g{i}/a" for i in range(12, 20))]]
    for name in ("nonfinite_share", "negative_share", "shift_x", "shift_y", "albedo_clipped_share"):
        assert (clean[name] == 0).all(), name
    for name in ("colour_suspicion", "duplicate_of", "near_duplicate_of", "reason"):
        assert (clean[name] == "").all(), name
    assert (clean["albedo_implausible_share"] < 0.01).all()
    np.testing.assert_allclose(clean["edge_contrast"], 1, atol=0.05)


def test_each_changed_sample_has_its_finding(audit) -> None:
    assert audit.loc["g01/a", "nonfinite_share"] == pytest.approx(1 / 4096)
    assert audit.loc["g01/a", "negative_share"] == pytest.approx(1 / 4096)
    assert audit.loc["g02/a", ["shift_x", "shift_y"]].tolist() == [4, 0]
    assert audit.loc["g03/a", "albedo_implausible_share"] > 0.9
    assert audit.loc["g04/a", "albedo_clipped_share"] > 0.2
    assert audit.loc["g05/a", "colour_suspicion"].startswith("albedo: declared linear")
    assert audit.loc["g06/a", "reason"] == "every pixel is masked"


def test_duplicates_are_named_and_are_leaks_across_splits(audit) -> None:
    assert audit.loc["g08/a", "duplicate_of"] == "g07/a"
    assert audit.loc["g10/a", "near_duplicate_of"] == "g09/a"
    assert (audit["duplicate_of"] != "").sum() == (audit["near_duplicate_of"] != "").sum() == 1
    for copy, original in (("g08/a", "g07/a"), ("g10/a", "g09/a")):
        assert audit.loc[copy, "leak"] == (audit.loc[copy, "split"] != audit.loc[original, "split"])
    assert not audit.drop(index=["g08/a", "g10/a"])["leak"].any()


def test_the_summary_counts_the_findings_of_the_table(audit) -> None:
    summary = summary_of(audit.reset_index())
    assert (summary["samples"], summary["quarantined"]) == (19, 1)
    assert sum(split["samples"] for split in summary["splits"].values()) == 19
    expected = {
        "colour_suspicion": 1,
        "misregistered": 1,
        "implausible_albedo": 2,
        "exact_duplicates": 1,
        "near_duplicates": 1,
        "nonfinite": 1,
        "negative": 1,
        "clipped_albedo": 1,
        "dark_beauty": 1,
    }
    assert {name: summary["flags"][name] for name in expected} == expected
    assert summary["flags"]["leaks"] == int(audit["leak"].sum())
