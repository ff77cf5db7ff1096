"""Ways to damage files, and to let writing fail."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def flip_bytes(path: Path, count: int = 2000) -> None:
    """Invert `count` bytes, spread over the file."""
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), max(1, len(content) // count)):
        content[place] ^= 0xFF
    path.write_bytes(content)


def flip_a_byte(path: Path) -> None:
    """Invert the byte in the middle of the file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def truncate(path: Path) -> None:
    """Keep the first half of the file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """Let writing fail at `size` bytes of a file, as on a full disk."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)  # Python ignores its signal
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
