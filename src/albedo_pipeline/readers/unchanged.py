"""Files on a disk that must not change while they are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from albedo_pipeline.errors import TransientReadError


@contextmanager
def unchanged(name: str, path: Path) -> Iterator[None]:
    """Raise TransientReadError if the file is another, or changed, when the block ends."""
    before = state_on_disk(path)
    try:
        yield
    except ValueError as error:
        if state_on_disk(path) != before:
            raise TransientReadError(f"{name}: changed while it was read") from error
        raise
    if state_on_disk(path) != before:
        raise TransientReadError(f"{name}: changed while it was read")


def state_on_disk(path: Path) -> tuple[int, int, int] | None:
    """Size, modification time in nanoseconds and inode; None if there is no file."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino
