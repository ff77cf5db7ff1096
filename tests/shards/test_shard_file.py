"""One shard: complete or absent, named by its content, and readable row by row."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.shards.shard_file import (
    DIGEST,
    ShardFile,
    ShardWriter,
    digest_of,
    open_shard,
)
from benchmarks.row_build import write_shard


def written(folder: Path, rows: list[dict]) -> ShardFile:
    name = write_shard(folder, rows)
    assert name is not None
    return open_shard(folder / name)


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Each row has its own shape; one is larger than what is gathered before it is written."""
    heights = (1, 4, 200_000, 3, 3, 1)
    tensors = [np.arange(n * 6, dtype=np.uint16).reshape(3, n, 2) for n in heights]
    rows = [
        {"id": f"s{i}", "x": x, "share": i / 7, "flat": (x[0, :, 0] % 100).astype(np.float16)}
        for i, x in enumerate(tensors)
    ]
    shard = written(tmp_path, rows)
    assert shard.columns["x"].shapes.tolist() == [[3, n, 2] for n in heights]
    for number, row in enumerate(rows):
        read = shard.row(number)
        assert {k: read[k] for k in ("id", "share")} == {k: row[k] for k in ("id", "share")}
        for name in ("x", "flat"):
            assert read[name].dtype == row[name].dtype
            np.testing.assert_array_equal(read[name], row[name])


def test_a_row_that_was_read_is_written_with_the_same_bytes(tmp_path: Path) -> None:
    rows = [{"id": f"s{i}", "x": np.full((2, 3), i, np.float16), "n": i} for i in range(3)]
    shard = written(tmp_path, rows)
    (path,) = tmp_path.iterdir()
    copy = tmp_path / "copy"
    copy.mkdir()
    assert write_shard(copy, [shard.row(i) for i in range(3)]) == path.name
    assert (copy / path.name).read_bytes() == path.read_bytes()


def test_any_arrow_reader_can_open_it(tmp_path: Path) -> None:
    written(tmp_path, [{"id": "s", "x": np.array([[1, 2, 3]], np.uint8)}])
    (path,) = tmp_path.iterdir()
    table = pa.ipc.open_file(path.read_bytes()).read_all()
    assert table["id"].to_pylist() == ["s"]
    assert table["x"].to_pylist() == [{"data": [1, 2, 3], "shape": [1, 3]}]


def test_the_name_depends_on_the_content_alone(tmp_path: Path) -> None:
    def name(*values: float, scalar: str = "s") -> str | None:
        return write_shard(tmp_path, [{"id": scalar, "x": np.array([v])} for v in values])

    assert name(1, 2) == name(1, 2)
    assert len({name(1, 2), name(2, 1), name(1), name(1, 2, scalar="t")}) == 4


def test_a_digest_is_of_the_tensors_with_their_names_types_and_shapes() -> None:
    x = np.arange(6, dtype=np.int16)
    rows = [{"x": x}, {"y": x}, {"x": x.view(np.uint16)}, {"x": x.reshape(2, 3)}, {"x": -x}]
    assert len({digest_of(row) for row in rows}) == len(rows)
    assert digest_of({"x": x, "id": "a"}) == digest_of({"id": "b", "x": x[::-1][::-1]})


def test_the_name_is_that_of_the_rows_as_they_are_read(tmp_path: Path) -> None:
    """Also of scalars that Arrow stores as another type than Python's own."""
    rows = [
        {"a": np.float32(0.1), "b": 1.5, "c": True, "d": "é", "x": np.zeros(2)},
        {"a": np.float32(0.2), "b": 2, "c": False, "d": "", "x": np.ones(2)},
    ]
    shard = written(tmp_path, rows)
    assert [shard.row(i)["b"] for i in range(2)] == [1.5, 2.0]


def test_no_flipped_byte_changes_what_is_read(tmp_path: Path) -> None:
    rows = [{"id": f"s{i}", "share": i / 7, "x": np.full((2, i, 3), i, np.uint16)} for i in (1, 2)]
    expected = [written(tmp_path, rows).row(i) for i in range(2)]
    (path,) = tmp_path.iterdir()
    sound, refused = path.read_bytes(), 0
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x40]) + sound[place + 1 :])
        try:
            shard = open_shard(path)
            read = [shard.row(i) for i in range(2)]
        except ProjectError:
            refused += 1
            continue
        for row, wanted in zip(read, expected, strict=True):
            assert row["x"].tolist() == wanted["x"].tolist()
            assert {**row, "x": 0} == {**wanted, "x": 0}
    assert refused > len(sound) / 2  # the rest is padding


def test_a_shard_follows_the_umask(tmp_path: Path) -> None:
    written(tmp_path, [{"x": np.zeros(2)}])
    (path,) = tmp_path.iterdir()
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_row_keeps_the_digest_that_it_brings(tmp_path: Path) -> None:
    shard = written(tmp_path, [{DIGEST: "own", "x": np.zeros(2)}, {DIGEST: "2", "x": np.ones(2)}])
    assert shard.scalars[DIGEST].to_pylist() == ["own", "2"]


def test_a_tensor_is_read_only(tmp_path: Path) -> None:
    shard = written(tmp_path, [{"x": np.zeros((2, 3))}])
    assert not shard.tensor("x", 0).flags.writeable


def test_without_rows_there_is_no_file(tmp_path: Path) -> None:
    assert write_shard(tmp_path, []) is None
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    def fail_after_a_row() -> None:
        with ShardWriter(tmp_path) as shard:
            shard.add({"x": np.zeros(2)})
            assert list(tmp_path.iterdir())
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        fail_after_a_row()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 100, -40])
def test_a_damaged_shard_is_named(tmp_path: Path, size: int) -> None:
    written(tmp_path, [{"id": "s", "x": np.zeros((20, 20))}])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ProjectError, match=rf"{path.name}: damaged shard \("):
        open_shard(path)


def test_a_row_with_a_flipped_byte_is_named(tmp_path: Path) -> None:
    name = write_shard(tmp_path, [{"x": np.full(9, i, np.uint16)} for i in (7, 8)])
    path = tmp_path / str(name)
    path.write_bytes(path.read_bytes().replace(bytes([8, 0] * 9), bytes([8, 0] * 8 + [9, 0])))
    shard = open_shard(path, "ingest")
    assert shard.tensor("x", 0)[0] == 7
    message = rf"{path}: damaged shard \(row 1 is not what was written\); run the pipeline ingest"
    with pytest.raises(ProjectError, match=message):
        shard.tensor("x", 1)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"shard-0\.arrow: damaged shard \("):
        open_shard(tmp_path / "shard-0.arrow")
