"""Shards in object storage: the same bytes as on a disk."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime import leases
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.storage import location, put, read
from albedo_pipeline.shards import ledger_table, remote_rows
from albedo_pipeline.shards.datasets import PredictionSetsDataset, ShardsDataset
from albedo_pipeline.shards.shard_file import ShardWriter
from albedo_pipeline.shards.shards import Shards
from benchmarks.row_build import save_rows
from tests.support.object_store import refusing
from tests.support.squares import Squares, values


def dataset(folder: str | Path) -> ShardsDataset:
    return ShardsDataset(filepath=str(folder), samples_per_shard=8)


def content(folder: str | Path) -> dict[str, bytes]:
    """All files of a folder but the heads, which only object storage has."""
    paths = location(folder).iterdir()
    return {path.name: read(path) for path in paths if path.suffix != ".head"}


@pytest.fixture(scope="module")
def made_at_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on the disk."""
    folder = tmp_path_factory.mktemp("disk") / "out"
    dataset(folder).save(Squares(values(40)))
    return folder


@pytest.fixture(scope="module")
def stored(bucket: str) -> str:
    """URL of the same folder in object storage, made by a build that was cut off and continued."""
    url = f"{bucket}/stored"
    with pytest.raises(DatasetError, match=rf"{url}: not finished: cut off"):
        dataset(url).save(Squares(values(40), fails_at=20))
    assert not dataset(url).exists()
    again = Squares(values(40))
    dataset(url).save(again)
    assert 20 <= len(again.made) < 40
    return url


def test_the_files_are_those_of_the_disk(made_at_once: Path, stored: str) -> None:
    assert content(stored) == content(made_at_once)


def test_a_file_url_is_a_folder_on_the_disk(tmp_path: Path, made_at_once: Path) -> None:
    dataset((tmp_path / "out").as_uri()).save(Squares(values(40)))
    assert content(tmp_path / "out") == content(made_at_once)


def test_rows_scalars_and_fingerprint_are_those_of_the_disk(
    made_at_once: Path, stored: str
) -> None:
    disk, remote = Shards(made_at_once), Shards(location(stored))
    assert remote.scalars.equals(disk.scalars)
    assert remote.fingerprint() == disk.fingerprint()
    assert np.array_equal(remote.shapes("x"), disk.shapes("x"))
    for row in range(len(disk)):
        assert np.array_equal(remote.tensor("x", row), disk.tensor("x", row))


def test_a_finished_build_makes_nothing_again(stored: str) -> None:
    again = Squares(values(40))
    dataset(stored).save(again)
    assert again.made == []


def test_only_a_changed_source_is_made_and_old_shards_go(folder_url: str, stored: str) -> None:
    dataset(folder_url).save(Squares(values(40) | {"s7": 50}))
    build = Squares(values(40))
    dataset(folder_url).save(build)
    assert build.made == ["s7"]
    names = {path.name for path in location(folder_url).iterdir()}
    assert names == {path.name for path in location(stored).iterdir()}


def test_a_build_removes_what_a_killed_one_left_in_the_temporary_folder(
    folder_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shard, other = (ShardWriter(location(url)) for url in (folder_url, f"{folder_url}-2"))
    for writer in (shard, other):  # their processes are killed after this row
        writer.add({"id": "a", "x": np.zeros(2)})
    assert len(list(tmp_path.iterdir())) == 2
    dataset(folder_url).save(Squares(values(3)))
    assert list(tmp_path.iterdir()) == [other._partial]


def test_a_second_build_is_refused(folder_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "SECONDS", 0.9)
    with (
        locked(location(folder_url), "another run"),
        pytest.raises(DatasetError, match=rf"{folder_url}: another squares writes here \(process"),
    ):
        dataset(folder_url).save(Squares(values(3)))


def test_damaged_rows_and_heads_are_named(folder_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_rows, "_buffer", remote_rows._Buffer(0))
    save_rows(dataset(folder_url), [{"id": "a", "x": np.full(9, 7, np.uint16)}])
    shards = dataset(folder_url).load()
    path = location(folder_url) / shards.index.shards[0]
    put(path, read(path).replace(np.full(9, 7, np.uint16).tobytes(), bytes(18)))
    with pytest.raises(ProjectError, match=rf"{path}: damaged shard \(row 0 is not what was writ"):
        shards.tensor("x", 0)
    put(remote_rows.head_of(path), b"nothing")
    with pytest.raises(DatasetError, match=rf"{path}: damaged shard"):
        dataset(folder_url).load()


def test_refused_lost_and_slow_requests_change_nothing(
    folder_url: str, made_at_once: Path, s3_server
) -> None:
    s3_server.fail_every, s3_server.seconds = 7, 0.01
    failed = s3_server.failed
    try:
        dataset(folder_url).save(Squares(values(40)))
        shards = dataset(folder_url).load()
        rows = [shards.tensor("x", row) for row in range(len(shards))]
    finally:
        s3_server.fail_every, s3_server.seconds = 0, 0.0
    assert s3_server.failed - failed > 5
    assert content(folder_url) == content(made_at_once)
    disk = Shards(made_at_once)
    assert all(np.array_equal(disk.tensor("x", row), tensor) for row, tensor in enumerate(rows))


def test_predictions_of_further_sets_are_stored_there(
    bucket: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sets = PredictionSetsDataset(folder=f"{bucket}/more", samples_per_shard=8)
    assert sets.load() == {}
    sets.save({"interiors": Squares(values(9))})
    assert {name: len(shards) for name, shards in sets.load().items()} == {"interiors": 12}
    assert list(tmp_path.iterdir()) == []  # no folder of the URL's name on the disk


def test_a_store_that_does_not_answer_does_not_say_that_nothing_is_there(
    bucket: str, folder_url: str, s3_server
) -> None:
    sets = PredictionSetsDataset(folder=f"{bucket}/refused", samples_per_shard=8)
    assert not dataset(folder_url).exists()
    with refusing(s3_server):
        for ask in (dataset(folder_url).exists, dataset(folder_url).load, sets.load):
            with pytest.raises(DatasetError, match=rf"{bucket}/.*(Access Denied|Forbidden)"):
                ask()


def refused(kind: str) -> Callable[[Path], bytes]:
    """`storage.read`, but the store refuses the files with this ending."""

    def read_or_refuse(path: Path) -> bytes:
        if path.suffix == kind:
            raise OSError(f"{path}: SlowDown")
        return read(path)

    return read_or_refuse


@pytest.mark.parametrize(("module", "kind"), [(remote_rows, ".head"), (ledger_table, ".parquet")])
def test_a_busy_store_is_not_damage(
    folder_url: str, monkeypatch: pytest.MonkeyPatch, module: ModuleType, kind: str
) -> None:
    dataset(folder_url).save(Squares(values(40)))
    before = content(folder_url)
    with monkeypatch.context() as patch:
        patch.setattr(module, "read", refused(kind))
        with pytest.raises(DatasetError, match=rf"{kind}: SlowDown"):
            dataset(folder_url).save(Squares(values(40)))
        if module is remote_rows:
            with pytest.raises(DatasetError, match=r"\.head: SlowDown") as error:
                dataset(folder_url).load()
            assert "damaged" not in str(error.value)
    assert content(folder_url) == before
    again = Squares(values(40))
    dataset(folder_url).save(again)
    assert again.made == []


def test_a_head_that_ends_too_early_is_damage(folder_url: str) -> None:
    dataset(folder_url).save(Squares(values(40)))
    before = content(folder_url)
    head = remote_rows.head_of(location(folder_url) / dataset(folder_url).load().index.shards[0])
    whole = read(head)
    for end in (len(whole) // 2, len(whole) - 20):
        put(head, whole[:end])
        with pytest.raises(DatasetError, match="damaged shard"):
            dataset(folder_url).load()
        again = Squares(values(40))
        dataset(folder_url).save(again)
        assert again.made
        assert content(folder_url) == before
