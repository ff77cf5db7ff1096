"""Ingest onto disks of every small size, and compare what is left.

    sudo .venv/bin/python -m tests.endurance.full_disk

On each disk (a tmpfs, hence root) a short list is ingested, and then a longer one. If that does
not fit, the old shards must be unchanged, with nothing half-written beside them. After the disk is
made larger, the next run must leave the bytes of an uninterrupted one.
"""

import logging
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kedro.io import DatasetError

from albedo_pipeline.shards.shard_file import open_shard
from tests.endurance import bad_input_runs as bad
from tests.endurance.bad_input_used import GOOD

SIZES = range(20, 180, 4)
"""Sizes of the disks, KiB."""


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a tmpfs of `size` KiB."""
    folder.mkdir(exist_ok=True)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder))
    subprocess.run(mount, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def enlarge(folder: Path) -> None:
    """Make room on a disk."""
    subprocess.run(["mount", "-o", "remount,size=9m", str(folder)], check=True)


def half_written(folder: Path) -> list[str]:
    """Leftovers, and shards that do not open."""
    left = [path.name for path in folder.rglob(".*.partial")]
    for path in (folder / "pairs").glob("*.arrow"):
        open_shard(path)
    return left


def outcome(folder: Path, listed: Path, expected: dict[str, bytes]) -> str:
    """Result of the two runs as text; raises AssertionError if a check fails."""
    try:
        with bad.list_cut_off(listed, 3):
            bad.ingest(folder, listed)
    except DatasetError as error:
        assert not half_written(folder), half_written(folder)
        return f"the first run stops: {error.__cause__}"
    before = bad.contents(folder)
    try:
        bad.ingest(folder, listed)
    except DatasetError as error:
        assert bad.contents(folder).items() >= before.items(), "old shards have changed"
        assert not half_written(folder), half_written(folder)
        enlarge(folder)
        bad.ingest(folder, listed)
        assert bad.contents(folder) == expected, "other bytes"
        return f"the second run stops: {error.__cause__}"
    assert bad.contents(folder) == expected, "other bytes"
    return "fits"


def main() -> None:
    """Run, and tell of each size."""
    logging.disable()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bad.write_list(folder, GOOD)
        listed = folder / "raw" / "pairs.txt"
        bad.ingest(folder / "whole", listed)
        expected = bad.contents(folder / "whole")
        for size in SIZES:
            with disk(folder / "disk", size) as small:
                print(f"{size:4} KiB: {outcome(small, listed, expected)}", flush=True)


if __name__ == "__main__":
    main()
