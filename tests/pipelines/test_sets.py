"""Further sets in `evaluate`: the project's own pairs decide."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from albedo_pipeline.artifacts.tables import TableDataset, read_table
from albedo_pipeline.params import EvaluateParams
from tests.support.project import copied, error_of, run_in_process

DATA = Path("data/test")
REPORTS = DATA / "08_reporting"


@pytest.fixture(scope="module")
def project(finished_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two further sets: `twin`, its own pairs, and `other`, other samples of them.

    `evaluate` has run with both.
    """
    project = copied(finished_project, tmp_path_factory.mktemp("sets"))
    other = project / "other"
    other.mkdir()
    (other / "pairs").symlink_to(project / DATA / "03_primary/pairs")
    manifest = read_table(project / DATA / "03_primary/manifest.parquet", "ingest")
    splits = {"train": "train", "test": "train", "validation": "test"}
    changed = manifest.assign(split=manifest["split"].map(splits))
    changed.attrs = {}
    TableDataset(filepath=str(other / "manifest.parquet"), written_by="ingest").save(changed)
    name_sets(project, {"twin": str(DATA / "03_primary"), "other": "other"})
    change_settings(project, "evaluate", {"sets": ["pairs", "twin", "other"]})
    result = run_in_process(project, "--pipelines", "evaluate")
    assert result.exit_code == 0, result.exception
    return project


def name_sets(project: Path, sets: dict[str, str]) -> None:
    kind = "albedo_pipeline.artifacts.pair_sets.PairSetsDataset"
    content = {"more_pairs": {"type": kind, "sets": sets}}
    (project / "conf/test/catalog_sets.yml").write_text(yaml.safe_dump(content))


def change_settings(project: Path, pipeline: str, changes: dict) -> None:
    file = project / f"conf/test/parameters_{pipeline}.yml"
    settings = yaml.safe_load(file.read_text())
    settings[pipeline] |= changes
    file.write_text(yaml.safe_dump(settings))


def metrics_of(project: Path) -> dict:
    return json.loads((project / REPORTS / "metrics.json").read_text())


def test_the_own_pairs_keep_their_numbers_and_each_set_has_its_own(
    project: Path, finished_project: Path
) -> None:
    alone, found = metrics_of(finished_project), metrics_of(project)
    sets = found.pop("sets")
    alone["lineage"].pop("content"), found["lineage"].pop("content")
    assert found == alone
    assert list(sets) == ["twin", "other"]
    assert sets["twin"] == alone  # protocol with its fingerprint, lineage, every number
    other = sets["other"]
    assert other["protocol"]["fingerprint"] != alone["protocol"]["fingerprint"]
    assert other["lineage"]["pairs"] != alone["lineage"]["pairs"]
    assert other["test"]["model"]["psnr"] != alone["test"]["model"]["psnr"]


def test_every_set_has_a_table_of_samples(project: Path) -> None:
    own = pd.read_parquet(project / REPORTS / "per_sample.parquet")
    folder = project / REPORTS / "more_per_sample"
    twin, other = (pd.read_parquet(folder / f"{name}.parquet") for name in ("twin", "other"))
    pd.testing.assert_frame_equal(own, twin)
    assert not set(other["sample_id"]) & set(own["sample_id"])
    headline = json.loads((project / REPORTS / "headline.json").read_text())
    assert headline["sets"]["twin"] == {"test": headline["test"]}


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        ({"nowhere": "no/folder"}, "more_pairs.sets.nowhere: no/folder: no manifest.parquet here"),
        ({"pairs": "other"}, "more_pairs.sets: 'pairs' cannot be the name of a set"),
        ({"twin": "other"}, "evaluate.sets: no set 'other'; known sets are pairs, twin"),
    ],
)
def test_a_wrong_set_is_named(project: Path, tmp_path: Path, sets: dict, expected: str) -> None:
    changed = copied(project, tmp_path)
    name_sets(changed, sets)
    change_settings(changed, "evaluate", {"sets": ["pairs", "other"]})
    assert expected in error_of(changed, "--pipelines", "evaluate")


@pytest.mark.parametrize("sets", [("twin", "pairs"), (), ("pairs", "twin", "twin")])
def test_the_own_pairs_come_first_and_no_set_twice(sets: tuple) -> None:
    with pytest.raises(ValueError, match="sets: must begin with pairs, and name each set once"):
        EvaluateParams.model_validate({"sets": sets})
