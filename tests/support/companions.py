"""A folder as it looks after it was copied from a Mac and viewed on Windows."""

import struct
from pathlib import Path

APPLE_DOUBLE = struct.pack(">II16xH", 0x00051607, 0x00020000, 0)
"""Header of an AppleDouble file (RFC 1740) without entries."""


def add_companions(folder: Path) -> int:
    """Give every file its `._` twin, and the folder a `.DS_Store` and a `Thumbs.db`.

    Returns:
        The number of files that were added.
    """
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        path.with_name(f"._{path.name}").write_bytes(APPLE_DOUBLE)
    for name in (".DS_Store", "Thumbs.db"):
        (folder / name).write_bytes(b"\0\0\0\1Bud1")
    return len(files) + 2
