"""The ledger of a shard build: which chunks are finished, and which rows can be copied."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.ledger import BuildLedger, Chunk
from albedo_pipeline.shards.previous_rows import (
    PreviousResult,
    PreviousRows,
    RowCopier,
    digests_of,
    source_digest,
)
from benchmarks.row_build import write_shard


def joined_digests(sources: Iterable[Source]) -> bytes:
    """Digests of sources, joined in their order."""
    return b"".join(map(source_digest, sources))


SOURCES = [Source("a", "1"), Source("b", "1"), Source("c", "1")]
DIGESTS = joined_digests(SOURCES)
REJECTED = Rejected("b", "g", "negative")
RETRIED = Rejected("b", "g", "negative", retry=True)
TABLE = "finished.parquet"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    folder.mkdir()
    return folder


@pytest.fixture
def shard(folder: Path) -> str:
    """A shard with two rows of `a` and one of `c`."""
    names = ("a", "a@1", "c")
    shard = write_shard(folder, [{"id": n, "x": np.full(2, i)} for i, n in enumerate(names)])
    assert shard
    return shard


@pytest.fixture(params=["record", "table"])
def ledger(request, folder: Path, shard: str) -> BuildLedger:
    """A ledger with the chunk of that shard, before and after it is published."""
    ledger = BuildLedger(folder, "key")
    ledger.record(ledger.key(DIGESTS), shard, DIGESTS, [2, 0, 1], {1: REJECTED})
    if request.param == "table":
        ledger.publish([ledger.key(DIGESTS)])
        assert files(folder) == [TABLE]
    return ledger


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.with_name(".shards.ledger").iterdir())


def previous(ledger: BuildLedger) -> PreviousRows:
    return PreviousRows(ledger.rows(ledger.chunks()))


def test_a_recorded_chunk_is_found_again(folder: Path, ledger: BuildLedger, shard: str) -> None:
    expected = {ledger.key(DIGESTS): Chunk(shard, (REJECTED,))}
    assert BuildLedger(folder, "key").chunks() == expected
    assert {path.suffix for path in folder.iterdir()} == {".arrow"}  # records are beside it


def test_chunks_of_another_cache_key_are_not_found(folder: Path, ledger: BuildLedger) -> None:
    assert BuildLedger(folder, "other").chunks() == {}


def test_names_signatures_order_and_cache_key_make_a_chunk(folder: Path) -> None:
    one, other = BuildLedger(folder, "key"), BuildLedger(folder, "other")
    keys = [
        one.key(DIGESTS),
        one.key(joined_digests(SOURCES[::-1])),
        one.key(digests_of(DIGESTS, range(2))),
        one.key(joined_digests([*SOURCES[:2], Source("c", "2")])),
        one.key(joined_digests([*SOURCES[:2], Source("d", "1")])),
        one.key(joined_digests([*SOURCES[:2], Source("", "c1")])),
        other.key(DIGESTS),
    ]
    assert len(set(keys)) == len(keys)
    assert one.key(joined_digests(iter(SOURCES))) == keys[0]


@pytest.mark.parametrize("damaged", ["missing shard", "short shard", "cut", "flipped byte"])
def test_a_damaged_chunk_is_not_found(
    folder: Path, ledger: BuildLedger, shard: str, damaged: str
) -> None:
    (record,) = folder.with_name(".shards.ledger").iterdir()
    content = record.read_bytes()
    if damaged == "missing shard":
        (folder / shard).unlink()
    elif damaged == "short shard":
        (folder / shard).write_bytes((folder / shard).read_bytes()[:-1])
    elif damaged == "cut":
        record.write_bytes(content[: len(content) // 2])
    else:
        record.write_bytes(content.replace(shard[:8].encode(), b"shard-XY"))
    assert ledger.chunks() == {}


def test_a_record_without_a_part_is_not_found(folder: Path, shard: str) -> None:
    ledger = BuildLedger(folder, "key")
    ledger.record("k", shard, DIGESTS, [2, 0, 1], {})
    path = folder.with_name(".shards.ledger") / "k.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for name in content:
        path.write_text(json.dumps({k: v for k, v in content.items() if k != name}))
        assert ledger.chunks() == {}


def test_other_records_are_deleted(folder: Path, ledger: BuildLedger, shard: str) -> None:
    ledger.record("old", shard, DIGESTS, [2, 0, 1], {})
    ledger.publish([ledger.key(DIGESTS)])
    assert set(ledger.chunks()) == {ledger.key(DIGESTS)}
    assert files(folder) == [TABLE]


def test_the_table_of_a_finished_build_is_not_written_again(folder: Path, shard: str) -> None:
    ledger = BuildLedger(folder, "key")
    keys = [f"{number:03d}" for number in range(100)]  # more than are read at a time
    for key in keys:
        ledger.record(key, shard, DIGESTS, [2, 0, 1], {1: REJECTED})
    ledger.publish(keys)
    table = folder.with_name(".shards.ledger") / TABLE
    before = (table.stat().st_ino, table.read_bytes())
    assert list(ledger.chunks()) == keys
    ledger.publish(keys)
    assert (table.stat().st_ino, table.read_bytes()) == before
    ledger.publish(keys[50:])
    assert list(ledger.chunks()) == keys[50:]
    assert [chunk.rows for chunk in ledger.rows(keys[-2:])] == [[2, 0, 1]] * 2


def test_a_record_replaces_the_one_in_the_table(folder: Path, shard: str) -> None:
    """As after a chunk was made again because its shard was damaged."""
    ledger, key = BuildLedger(folder, "key"), "k"
    ledger.record(key, shard, DIGESTS, [2, 0, 1], {1: RETRIED})
    ledger.publish([key])
    ledger.record(key, shard, DIGESTS, [2, 0, 1], {1: REJECTED})
    assert ledger.chunks() == {key: Chunk(shard, (REJECTED,))}
    ledger.publish([key])
    assert ledger.chunks() == {key: Chunk(shard, (REJECTED,))}


def test_a_chunk_is_final_if_nothing_should_be_tried_again() -> None:
    assert Chunk("s", (REJECTED,)).is_final
    assert not Chunk("s", (REJECTED, RETRIED)).is_final


def test_rows_of_unchanged_sources_are_copied(folder: Path, ledger: BuildLedger) -> None:
    results, copier = previous(ledger).of(DIGESTS), RowCopier(folder)
    rows = copier.read(results[0])
    assert [row["id"] for row in rows] == ["a", "a@1"]
    assert copier.read(results[1]) == REJECTED
    (row,) = copier.read(results[2])
    np.testing.assert_array_equal(row["x"], [2, 2])


def test_a_changed_source_is_not_held(ledger: BuildLedger, shard: str) -> None:
    changed = joined_digests(Source(*each) for each in ("a2", "b2", "c1", "d1"))
    expected = [None, None, PreviousResult(shard, 2, 1, None), None]
    assert previous(ledger).of(changed) == expected
    assert PreviousRows().of(changed) == [None] * 4


def test_a_rejection_to_be_tried_again_is_not_held(folder: Path, shard: str) -> None:
    ledger = BuildLedger(folder, "key")
    ledger.record("k", shard, DIGESTS, [2, 0, 1], {1: RETRIED})
    expected = [PreviousResult(shard, 0, 2, None), None, PreviousResult(shard, 2, 1, None)]
    assert previous(ledger).of(DIGESTS) == expected


def test_a_source_without_rows_and_rejection_is_held(folder: Path) -> None:
    ledger = BuildLedger(folder, "key")
    ledger.record("k", None, joined_digests(SOURCES[:1]), [0], {})
    (result,) = previous(ledger).of(joined_digests(SOURCES[:1]))
    assert RowCopier(folder).read(result) == []


def test_names_that_are_not_utf8_have_a_digest(folder: Path) -> None:
    assert (
        len(BuildLedger(folder, "key").key(joined_digests([Source("a", "/\udcff/x.exr:1")]))) == 16
    )
