"""Shard builds: the same bytes, whether made at once, continued, or made again in part."""

from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.shards import index, ledger, shard_file
from albedo_pipeline.shards.build import chunk_bounds
from albedo_pipeline.shards.datasets import ShardsDataset
from albedo_pipeline.shards.shard_file import open_shard
from tests.support.squares import Squares, values

UNLINK = Path.unlink


def dataset(folder: Path) -> ShardsDataset:
    return ShardsDataset(filepath=str(folder), samples_per_shard=8)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def made_at_once(tmp_path: Path) -> dict[str, bytes]:
    """Files of a build that ran once without interruption."""
    dataset(tmp_path / "at-once").save(Squares(values(100)))
    return content(tmp_path / "at-once")


def test_rows_and_rejections_come_in_the_sources_order(tmp_path: Path, made_at_once) -> None:
    shards = dataset(tmp_path / "at-once").load()
    expected = [name for name, v in values(100).items() if v >= 0 for _ in range(1 + v % 2)]
    assert shards.scalars["id"].to_pylist() == expected
    rejected = [item.sample_id for item in shards.index.rejected]
    assert rejected == [f"s{i}" for i in range(0, 100, 11)]
    assert shards.tensor("x", 0).tolist() == [[1, 1], [1, 1]]
    assert len(shards.index.shards) > 5


@pytest.mark.parametrize("fails_at", [0, 1, 30, 57, 99])
def test_a_failed_build_continues_after_its_finished_chunks(
    tmp_path: Path, made_at_once, fails_at: int
) -> None:
    folder = tmp_path / "continued"
    first = Squares(values(100), fails_at=fails_at)
    with pytest.raises(Exception, match="cut off"):
        dataset(folder).save(first)
    assert not dataset(folder).exists()
    again = Squares(values(100))
    dataset(folder).save(again)
    assert content(folder) == made_at_once
    bounds = chunk_bounds([s.name for s in again.sources], 8)
    finished = sum(len(chunk) for chunk in bounds if chunk.stop <= fails_at)
    assert len(again.made) == 100 - finished


def test_a_shard_that_cannot_be_flushed_ends_the_build_soon(
    tmp_path: Path, made_at_once, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, flushed = tmp_path / "continued", []

    def full(path: Path) -> None:
        flushed.append(path)
        if len(flushed) == 2:
            raise OSError("disk full")

    first = Squares(values(100))
    with monkeypatch.context() as patch:
        patch.setattr(shard_file, "fsync", full)
        with pytest.raises(DatasetError, match="not finished: disk full"):
            dataset(folder).save(first)
    bounds = chunk_bounds([s.name for s in first.sources], 8)
    assert len(flushed) == 3 < len(bounds)
    assert not list(folder.glob(".shard-*"))
    again = Squares(values(100))
    dataset(folder).save(again)
    assert content(folder) == made_at_once
    # The first shard, and the third, which was filled while the second one failed.
    assert len(again.made) == 100 - len(bounds[0]) - len(bounds[2])


def test_a_finished_build_makes_nothing_again(tmp_path: Path, made_at_once) -> None:
    again = Squares(values(100))
    dataset(tmp_path / "at-once").save(again)
    assert again.made == []
    assert content(tmp_path / "at-once") == made_at_once


@pytest.mark.parametrize(
    ("before", "made"),
    [
        (values(90), 10),  # ten are added at the end
        ({k: v for k, v in values(100).items() if k not in ("s3", "s40", "s41")}, 3),  # in between
        (values(120), 0),  # some are removed
        (values(100) | {"s7": 50, "s66": 4}, 2),  # two are changed
        (dict(reversed(values(100).items())), 0),  # all are in another order
    ],
)
def test_only_sources_that_changed_are_made(
    tmp_path: Path, made_at_once, before: dict, made: int
) -> None:
    folder = tmp_path / "changed"
    dataset(folder).save(Squares(before))
    build = Squares(values(100))
    dataset(folder).save(build)
    assert len(build.made) == made
    assert content(folder) == made_at_once


def test_another_cache_key_makes_everything_again(tmp_path: Path, made_at_once) -> None:
    build = Squares(values(100), cache_key="other")
    dataset(tmp_path / "at-once").save(build)
    assert len(build.made) == 100
    assert content(tmp_path / "at-once") == made_at_once


def test_a_failed_change_leaves_the_old_content(tmp_path: Path, made_at_once) -> None:
    folder = tmp_path / "at-once"
    with pytest.raises(Exception, match="cut off"):
        dataset(folder).save(Squares(values(100), cache_key="other", fails_at=60))
    shards = dataset(folder).load()
    assert shards.scalars["id"].to_pylist()[0] == "s1"
    assert shards.tensor("x", len(shards) - 1).tolist() == [[98**2, 98**2]] * 2


def test_adding_in_the_middle_moves_few_chunk_bounds() -> None:
    names = [f"s{i}" for i in range(5000)]
    more = [*names[:2500], "new", *names[2500:]]
    chunks = [{tuple(n[i] for i in c) for c in chunk_bounds(n, 64)} for n in (names, more)]
    assert len(chunks[0] - chunks[1]) <= 2
    lengths = [len(chunk) for chunk in chunks[0]]
    assert max(lengths) <= 256
    assert 40 < np.mean(lengths) < 90


def test_files_that_killed_processes_left_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    leftover = folder / ".shard-killed.partial"
    leftover.write_bytes(b"half")
    with pytest.raises(Exception, match="cut off"):
        dataset(folder).save(Squares(values(100), fails_at=50))
    assert not leftover.exists()


def test_a_rejection_that_may_pass_is_tried_again(tmp_path: Path, made_at_once) -> None:
    first, again = Squares(values(100)), Squares(values(100))
    first.retry = True
    dataset(tmp_path / "shards").save(first)
    dataset(tmp_path / "shards").save(again)
    assert again.made == [name for name, value in values(100).items() if value < 0]
    assert content(tmp_path / "shards") == made_at_once


def test_a_damaged_shard_is_made_again(tmp_path: Path, made_at_once) -> None:
    folder = tmp_path / "shards"
    dataset(folder).save(Squares(values(100)))
    shard = sorted(folder.glob("*.arrow"))[0]
    shard.write_bytes(shard.read_bytes()[:-10])
    again = Squares(values(100))
    dataset(folder).save(again)
    assert 0 < len(again.made) < 60
    assert content(folder) == made_at_once


def test_a_damaged_record_of_a_failed_build_is_made_again(tmp_path: Path, made_at_once) -> None:
    folder = tmp_path / "shards"
    with pytest.raises(Exception, match="cut off"):
        dataset(folder).save(Squares(values(100), fails_at=99))
    record = sorted((tmp_path / ".shards.ledger").glob("*.json"))[0]
    record.write_text(record.read_text()[:50])
    again = Squares(values(100))
    dataset(folder).save(again)
    assert 1 < len(again.made) < 60
    assert content(folder) == made_at_once


def test_without_the_ledger_of_a_finished_build_everything_is_made_again(
    tmp_path: Path, made_at_once, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "shards"
    dataset(folder).save(Squares(values(100)))
    (table,) = (tmp_path / ".shards.ledger").iterdir()
    table.write_bytes(table.read_bytes()[:-10])
    again = Squares(values(100))
    dataset(folder).save(again)
    assert len(again.made) == 100
    assert content(folder) == made_at_once
    assert f"{table}: damaged" in caplog.text


@pytest.mark.parametrize("killed_after", range(4))
def test_a_kill_while_the_build_is_published_loses_nothing(
    tmp_path: Path, made_at_once, monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    """Ends the run at each step of `publish`: the index, the table, the first and second record."""
    folder, steps = tmp_path / "shards", iter(range(killed_after))

    def limited(function):
        def step(*arguments, **options):
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return function(*arguments, **options)

        return step

    monkeypatch.setattr("albedo_pipeline.shards.index.write_text", limited(index.write_text))
    monkeypatch.setattr("albedo_pipeline.shards.ledger.write_table", limited(ledger.write_table))
    unlink = limited(Path.unlink)
    monkeypatch.setattr(
        Path,
        "unlink",
        lambda path, **options: (unlink if path.suffix == ".json" else UNLINK)(path, **options),
    )
    with pytest.raises(KeyboardInterrupt):
        dataset(folder).save(Squares(values(100)))
    monkeypatch.undo()
    again = Squares(values(100))
    dataset(folder).save(again)
    assert again.made == []
    assert content(folder) == made_at_once
    assert [path.name for path in (tmp_path / ".shards.ledger").iterdir()] == ["finished.parquet"]


def test_a_shard_with_a_flipped_byte_is_made_again(
    tmp_path: Path, made_at_once, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "shards"
    dataset(folder).save(Squares(values(100)))
    shard, again = sorted(folder.glob("*.arrow"))[0], Squares(values(100))
    place = shard.read_bytes().index(np.full((2, 2), open_shard(shard).row(0)["x"]).tobytes())
    content_ = bytearray(shard.read_bytes())
    content_[place] ^= 1
    shard.write_bytes(content_)
    dataset(folder).save(again)
    assert 0 < len(again.made) < 60
    assert content(folder) == made_at_once
    assert f"{shard}: damaged, its samples are made again" in caplog.text


def test_a_second_run_at_the_same_time_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    with locked(folder, "another squares"), pytest.raises(Exception, match="another squares"):
        dataset(folder).save(Squares(values(10)))


def test_rejections_of_finished_chunks_count_when_others_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    with pytest.raises(Exception, match="cut off"):
        dataset(folder).save(Squares(values(100), fails_at=80))
    again = Squares(values(100))
    again.most = 9  # ten of all are rejected, few of them by this run
    with pytest.raises(Exception, match="10 are rejected"):
        dataset(folder).save(again)
    assert len(again.made) < 50
