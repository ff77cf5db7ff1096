"""The ledger of a shard build: which chunks are finished, and which rows can be copied."""

import json
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.ledger import BuildLedger, Chunk, PreviousRows, SourceOutcome
from albedo_pipeline.shards.shard_file import write_shard

SOURCES = [Source("a", "1"), Source("b", "1"), Source("c", "1")]
REJECTED = Rejected("b", "g", "negative")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    folder.mkdir()
    return folder


@pytest.fixture
def chunk(folder: Path) -> Chunk:
    """A finished chunk: two rows of `a`, `b` rejected, one row of `c`."""
    names = ("a", "a@1", "c")
    shard = write_shard(folder, [{"id": n, "x": np.full(2, i)} for i, n in enumerate(names)])
    outcomes = {
        "a": SourceOutcome("1", 2, None),
        "b": SourceOutcome("1", 0, REJECTED),
        "c": SourceOutcome("1", 1, None),
    }
    return Chunk(shard, outcomes)


@pytest.fixture
def ledger(folder: Path, chunk: Chunk) -> BuildLedger:
    """A ledger with that chunk."""
    ledger = BuildLedger(folder, "key")
    ledger.record(ledger.key(SOURCES), chunk)
    return ledger


def retried(chunk: Chunk) -> Chunk:
    """The chunk, but `b` should be tried again."""
    again = Rejected(REJECTED.sample_id, REJECTED.group, REJECTED.reason, retry=True)
    return Chunk(chunk.shard, chunk.outcomes | {"b": SourceOutcome("1", 0, again)})


def test_a_recorded_chunk_is_found_again(folder: Path, ledger: BuildLedger, chunk: Chunk) -> None:
    assert BuildLedger(folder, "key").chunks() == {ledger.key(SOURCES): chunk}
    assert {path.suffix for path in folder.iterdir()} == {".arrow"}  # records are beside it


def test_chunks_of_another_cache_key_are_not_found(folder: Path, ledger: BuildLedger) -> None:
    assert BuildLedger(folder, "other").chunks() == {}


def test_names_signatures_order_and_cache_key_make_a_chunk(folder: Path) -> None:
    one, other = BuildLedger(folder, "key"), BuildLedger(folder, "other")
    keys = [
        one.key(SOURCES),
        one.key(SOURCES[::-1]),
        one.key(SOURCES[:2]),
        one.key([*SOURCES[:2], Source("c", "2")]),
        one.key([*SOURCES[:2], Source("d", "1")]),
        other.key(SOURCES),
    ]
    assert len(set(keys)) == len(keys)
    assert one.key(list(SOURCES)) == keys[0]


@pytest.mark.parametrize("damaged", ["missing shard", "short shard", "cut record", "no outcomes"])
def test_a_damaged_chunk_is_not_found(
    folder: Path, ledger: BuildLedger, chunk: Chunk, damaged: str
) -> None:
    shard = folder / str(chunk.shard)
    (record,) = folder.with_name(".shards.ledger").iterdir()
    text = record.read_text(encoding="utf-8")
    if damaged == "missing shard":
        shard.unlink()
    elif damaged == "short shard":
        shard.write_bytes(shard.read_bytes()[:-1])
    elif damaged == "cut record":
        record.write_text(text[: len(text) // 2], encoding="utf-8")
    else:
        content = {k: v for k, v in json.loads(text).items() if k != "outcomes"}
        record.write_text(json.dumps(content), encoding="utf-8")
    assert ledger.chunks() == {}


def test_other_records_are_deleted(ledger: BuildLedger, chunk: Chunk) -> None:
    ledger.record("old", chunk)
    ledger.keep_only([ledger.key(SOURCES)])
    assert set(ledger.chunks()) == {ledger.key(SOURCES)}


def test_a_chunk_is_final_if_nothing_should_be_tried_again(chunk: Chunk) -> None:
    assert chunk.is_final
    assert not retried(chunk).is_final


def test_rows_of_unchanged_sources_are_copied(folder: Path, chunk: Chunk) -> None:
    previous = PreviousRows(folder, [chunk])
    assert [previous.holds(source) for source in SOURCES] == [True] * 3
    rows = previous.take(SOURCES[0])
    assert [row["id"] for row in rows] == ["a", "a@1"]
    assert previous.take(SOURCES[1]) == REJECTED
    (row,) = previous.take(SOURCES[2])
    np.testing.assert_array_equal(row["x"], [2, 2])
    assert previous.rejected(SOURCES) == [REJECTED]


def test_a_changed_source_is_not_held(folder: Path, chunk: Chunk) -> None:
    previous = PreviousRows(folder, [chunk])
    assert not previous.holds(Source("a", "2"))
    assert not previous.holds(Source("d", "1"))
    assert previous.rejected([Source("b", "2")]) == []


def test_a_rejection_to_be_tried_again_is_not_held(folder: Path, chunk: Chunk) -> None:
    previous = PreviousRows(folder, [retried(chunk)])
    assert [previous.holds(source) for source in SOURCES] == [True, False, True]
    assert previous.rejected(SOURCES) == []
    assert [row["id"] for row in previous.take(SOURCES[2])] == ["c"]


def test_a_source_without_rows_and_rejection_is_held(folder: Path) -> None:
    previous = PreviousRows(folder, [Chunk(None, {"a": SourceOutcome("1", 0, None)})])
    assert previous.take(SOURCES[0]) == []
