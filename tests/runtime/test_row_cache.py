"""A bounded cache of rows on the disk."""

from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.row_cache import RowCache

ROOM = 3 * 4096
"""What a row takes beside its own bytes."""


def cache(folder: Path, limit: int = 10**6, wanted: tuple[str, ...] = ("a", "b")) -> RowCache:
    return RowCache(folder, "s3://bucket/latents", limit, set(wanted))


def test_what_was_written_is_read_by_the_next_process_too(tmp_path: Path) -> None:
    first = cache(tmp_path)
    assert first.read("a", 1, 5, 3) is None
    first.write("a", 1, 5, b"xyz")
    for reader in (first, cache(tmp_path)):
        assert reader.read("a", 1, 5, 3) == b"xyz"
        assert reader.read("a", 0, 0, 5) is None
        assert reader.read("a", 2, 8, 3) is None
        assert reader.read("b", 1, 5, 3) is None


def test_a_half_written_row_is_missing(tmp_path: Path) -> None:
    cache(tmp_path).write("a", 0, 0, b"xyz")
    next(tmp_path.rglob("a.data")).write_bytes(b"x\0\0")
    assert cache(tmp_path).read("a", 0, 0, 3) is None


def test_rows_are_kept_up_to_the_limit(tmp_path: Path) -> None:
    limit = 5 * (1000 + ROOM)
    bounded = cache(tmp_path, limit)
    for row in range(10):
        bounded.write("a", row, 1000 * row, bytes([row]) * 1000)
    kept = [bounded.read("a", row, 1000 * row, 1000) is not None for row in range(10)]
    assert kept == [True] * 5 + [False] * 5
    assert sum(p.stat().st_blocks * 512 for p in tmp_path.rglob("*") if p.is_file()) <= limit
    again = cache(tmp_path, ROOM)  # what is there already counts
    again.write("a", 9, 9000, b"x")
    assert again.read("a", 9, 9000, 1) is None


def test_files_that_are_no_longer_wanted_are_deleted(tmp_path: Path) -> None:
    cache(tmp_path).write("a", 0, 0, b"xyz")
    assert cache(tmp_path, wanted=("b",)).read("a", 0, 0, 3) is None
    assert not list(tmp_path.rglob("a.*"))


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProjectError, match=rf"train.cache.folder: {tmp_path}/file: "):
        cache(tmp_path / "file")
