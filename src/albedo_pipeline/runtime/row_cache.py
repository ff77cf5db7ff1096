"""A bounded cache on the disk for rows that are read again and again from object storage."""

import hashlib
import os
import struct
import threading
import zlib
from contextlib import suppress
from pathlib import Path

from albedo_pipeline.errors import ProjectError, one_line

_RECORD = struct.Struct("<BI")
"""Of each row in a file's record: whether it is there, and its CRC-32."""

_BLOCKS = 3 * 4096
"""Bytes that a row may take beside its own: it begins and ends within blocks of a file system, and
so does its record."""


class RowCache:
    """Rows of the files of one folder, up to a number of bytes.

    What is kept stays until its file is no longer wanted. In a training, each epoch uses every
    sample once in another order; so if a share of the samples fits, that share is found in every
    epoch, and to replace rows that were used longest ago would find fewer.

    A cached file is as long as all rows of the original, with holes for those that are missing.
    Beside it is a record with a CRC-32 of each row, by which a row that a killed process has left
    half-written is found. Several processes may use one folder.
    """

    def __init__(
        self, folder: Path, source: str, limit: int, wanted: set[str], users: int = 1
    ) -> None:
        """
        Args:
            folder: holds the caches of all sources.
            source: where the files are; each source has a folder of its own in it.
            limit: most bytes that the files in `folder` take.
            wanted: names of the files; others of this source are deleted.
            users: how many fill `folder`, each of them an equal part: processes times sources.

        Raises:
            ProjectError: if the folder cannot be written to.
        """
        self._folder = folder / hashlib.sha256(source.encode()).hexdigest()[:16]
        self._lock = threading.Lock()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in self._folder.iterdir():
                if path.stem not in wanted:
                    path.unlink(missing_ok=True)
            self._free = (limit - _bytes_in(folder)) // users
        except OSError as error:
            raise ProjectError(f"train.cache.folder: {folder}: {one_line(error)}") from error

    def read(self, name: str, row: int, start: int, size: int) -> bytes | None:
        """Content of a row; None if it is not there.

        Args:
            name: name of its file.
            row: number of the row.
            start: bytes of all rows before it.
            size: its own bytes.
        """
        try:
            record = _read(self._folder / f"{name}.rows", row * _RECORD.size, _RECORD.size)
            is_there, checksum = _RECORD.unpack(record) if len(record) == _RECORD.size else (0, 0)
            content = _read(self._folder / f"{name}.data", start, size) if is_there else b""
        except OSError:
            return None
        return content if is_there and zlib.crc32(content) == checksum else None

    def write(self, name: str, row: int, start: int, content: bytes) -> None:
        """Keep a row if there is room for it; a full disk means that there is none."""
        with self._lock:
            if self._free < len(content) + _BLOCKS:
                return
            self._free -= len(content) + _BLOCKS
        try:
            _write(self._folder / f"{name}.data", start, content)
            record = _RECORD.pack(1, zlib.crc32(content))
            _write(self._folder / f"{name}.rows", row * _RECORD.size, record)
        except OSError:
            self._free = 0


def _read(path: Path, offset: int, size: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, size, offset)
    finally:
        os.close(descriptor)


def _write(path: Path, offset: int, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.pwrite(descriptor, content, offset)
    finally:
        os.close(descriptor)


def _bytes_in(folder: Path) -> int:
    """Bytes that the files below a folder take on the disk, without their holes."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # another process removes what is not wanted
            total += path.stat().st_blocks * 512 if path.is_file() else 0
    return total
