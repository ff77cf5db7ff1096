"""Tables: they come back as they were saved, and a damaged one is named."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from albedo_pipeline.artifacts.tables import ManifestDataset, TableDataset
from albedo_pipeline.provenance.lineage import check_manifest, with_table_digests
from tests.support.damage import flip_bytes, no_file_over, truncate

TABLE = pd.DataFrame({"name": ["a", "b", None], "x": [0.1, float("nan"), 3]}, index=[5, 6, 7])


@pytest.fixture
def dataset(tmp_path: Path) -> TableDataset:
    dataset = TableDataset(filepath=str(tmp_path / "new" / "table.parquet"), written_by="ingest")
    dataset.save(TABLE)
    return dataset


def test_a_table_comes_back_as_it_was_saved(dataset: TableDataset) -> None:
    pd.testing.assert_frame_equal(dataset.load(), TABLE)
    pd.testing.assert_frame_equal(pd.read_parquet(dataset._path), TABLE)  # by any reader
    assert dataset.preview(nrows=2)["columns"] == ["name", "x"]


def test_no_flipped_byte_changes_what_is_loaded(dataset: TableDataset) -> None:
    sound, refused = dataset._path.read_bytes(), 0
    for place in range(len(sound)):
        dataset._path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        try:
            table = dataset.load()
        except DatasetError:
            refused += 1
        else:
            pd.testing.assert_frame_equal(table, TABLE)
    assert len(sound) - refused < 100  # the rest is the digest itself and its name


@pytest.mark.parametrize("do_damage", [flip_bytes, truncate])
def test_a_damaged_table_is_named(dataset: TableDataset, do_damage) -> None:
    do_damage(dataset._path)
    with pytest.raises(DatasetError, match=r"table\.parquet: damaged table \(.*ingest again"):
        dataset.load()


def test_a_table_without_a_column_is_named(dataset: TableDataset) -> None:
    path = str(dataset._path)
    needed = TableDataset(filepath=path, written_by="ingest", columns=["name", "digest", "y"])
    with pytest.raises(
        DatasetError, match=r"table\.parquet: no column digest, y; run the pipeline"
    ):
        needed.load()
    pd.testing.assert_frame_equal(
        TableDataset(filepath=path, written_by="ingest", columns=["x"]).load(), TABLE
    )


def test_a_table_of_an_earlier_version_is_loaded(dataset: TableDataset) -> None:
    TABLE.to_parquet(dataset._path)
    assert b"sha256" not in dataset._path.read_bytes()
    pd.testing.assert_frame_equal(dataset.load(), TABLE)


def test_a_full_disk_leaves_the_old_table(dataset: TableDataset) -> None:
    with pytest.raises(DatasetError, match=r"table\.parquet"), no_file_over(1000):
        dataset.save(pd.concat([TABLE] * 100))
    pd.testing.assert_frame_equal(dataset.load(), TABLE)
    assert list(dataset._path.parent.iterdir()) == [dataset._path]


MANIFEST = pd.DataFrame(
    {
        "row": [0, 1],
        "sample_id": ["a", "b"],
        "group": ["g", "g"],
        "split": ["train", "train"],
        "exposure": [0.1, float("nan")],
        "digest": ["1", "2"],
    }
)


@pytest.fixture
def manifest(tmp_path: Path) -> ManifestDataset:
    dataset = ManifestDataset(filepath=str(tmp_path / "manifest.parquet"))
    dataset.save(with_table_digests(MANIFEST, {"pairs": "1"}))
    return dataset


def test_of_a_manifest_the_needed_columns_are_loaded(manifest: ManifestDataset) -> None:
    loaded = manifest.load()
    pd.testing.assert_frame_equal(loaded, MANIFEST.drop(columns="exposure"))
    assert loaded.attrs["made_from"] == {"pairs": "1"}
    check_manifest(loaded)
    assert manifest.preview(nrows=1)["columns"] == [*MANIFEST]
    published = with_table_digests(MANIFEST.assign(split_rule="r"), {"pairs": "1"})
    manifest.save(published)
    assert manifest.load()["split_rule"].tolist() == ["r", "r"]


@pytest.mark.parametrize("column", ["exposure", "split"])
def test_a_manifest_of_which_any_column_was_edited_is_refused(
    manifest: ManifestDataset, column: str
) -> None:
    table = pd.read_parquet(manifest._path)
    table.loc[1, column] = table.loc[0, column] = table[column].iloc[0] * 2
    table.to_parquet(manifest._path)
    with pytest.raises(DatasetError, match=r"manifest: changed after it was made; run the pipe"):
        manifest.load()


def test_a_manifest_of_an_earlier_version_is_loaded(manifest: ManifestDataset) -> None:
    MANIFEST.to_parquet(manifest._path)
    pd.testing.assert_frame_equal(manifest.load(), MANIFEST.drop(columns="exposure"))
    MANIFEST.drop(columns="digest").to_parquet(manifest._path)
    with pytest.raises(DatasetError, match=r"manifest\.parquet: no column digest; run the pipe"):
        manifest.load()
