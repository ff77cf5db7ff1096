"""The members of an uncompressed `.tar`, on a disk or in object storage; it is never unpacked."""

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from albedo_pipeline.errors import BadSampleError, TransientReadError
from albedo_pipeline.readers.root_names import check_name, log_companions, nfc
from albedo_pipeline.readers.tar_index import (
    Member,
    TarIndex,
    read_index,
    read_remote_index,
)
from albedo_pipeline.readers.unchanged import state_on_disk, unchanged
from albedo_pipeline.runtime.companions import without_companions
from albedo_pipeline.runtime.storage import file_state, is_remote, read_ranges

_COPIED_AT_ONCE = 1 << 22
_REQUESTED_AT_ONCE = 1 << 24


class TarRoot:
    """An uncompressed `.tar`; one member at a time is copied to a temporary file."""

    def __init__(self, path: Path, index: TarIndex) -> None:
        self.path = path
        self.companions = 0
        self._index = index
        others = (name for name in (*index.refused, *index.members) if not name.isascii())
        self._spellings = {nfc(name): name for name in others}

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy that is sent to another process lists the archive there, once a process."""
        return _listed_again, (type(self), self.path, self._index.state)

    def names(self) -> list[str]:
        """Every plain file that is no companion, and whose name does not leave the archive."""
        names, companions = without_companions(self._index.members)
        self.companions = log_companions(self.path, companions)
        return sorted(names)

    def signature(self, name: str) -> str:
        """Size and modification time in the member's header; also the state of the archive itself
        if all members have the same time, as in reproducible archives."""
        member_name = self._member_name(name)
        member = self._index.members.get(member_name)
        if member is None:
            return self._index.refused.get(member_name, "missing")
        state = f"{member.size}:{member.modified}"
        return f"{state}:{self._index.state}" if self._index.one_time else state

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """A temporary file with the member's bytes and suffix."""
        import tempfile

        member_name = self._member_name(name)
        if member_name in self._index.refused:
            raise BadSampleError(f"{name}: {self._index.refused[member_name]}")
        check_name(name)
        if member_name not in self._index.members:
            raise BadSampleError(f"{name}: no such file")
        member = self._index.members[member_name]
        with tempfile.NamedTemporaryFile(suffix=PurePosixPath(name).suffix) as file:
            self._copy(name, member, file.fileno())
            yield Path(file.name)

    def _copy(self, name: str, member: Member, target: int) -> None:
        """Write a member's bytes to an open file.

        Raises:
            TransientReadError: if the archive was changed since it was listed.
        """
        if state_on_disk(self.path) != self._index.state:
            raise TransientReadError(f"{name}: the archive was changed after it was listed")
        with unchanged(name, self.path):
            _copy_range(self.path, member.offset, member.size, target)

    def _member_name(self, name: str) -> str:
        """The name of a member, as the archive spells it; of a missing one, as it was named."""
        normal = posixpath.normpath(name)
        if normal in self._index.members or normal in self._index.refused:
            return normal
        return self._spellings.get(nfc(normal), normal)


class RemoteTarRoot(TarRoot):
    """An uncompressed `.tar` in object storage; of a member only its own bytes are requested."""

    def _copy(self, name: str, member: Member, target: int) -> None:
        end = member.offset + member.size
        try:
            for start in range(member.offset, end, _REQUESTED_AT_ONCE):
                size = min(_REQUESTED_AT_ONCE, end - start)
                _write(read_ranges(self.path, [(start, size)])[0], target)
            state = file_state(self.path)
        except OSError as error:
            raise TransientReadError(f"{name}: not read ({error})") from error
        if state != self._index.state:
            raise TransientReadError(f"{name}: the archive was changed after it was listed")


@cache
def _listed_again(kind: type[TarRoot], path: Path, state: Any) -> TarRoot:
    """The root of an archive that was in a state when it was listed first.

    Reading from it is a TransientReadError if the archive has another state by now.
    """
    index = read_remote_index(path, state) if is_remote(path) else read_index(path)
    return kind(path, replace(index, state=state))


def _copy_range(path: Path, offset: int, size: int, target: int) -> None:
    """Copy a range of bytes; any number of threads may do so at once."""
    source = os.open(path, os.O_RDONLY)
    try:
        end = offset + size
        while offset < end:
            block = os.pread(source, min(_COPIED_AT_ONCE, end - offset), offset)
            if not block:
                raise ValueError("the archive ends too early")
            offset += len(block)
            _write(block, target)
    finally:
        os.close(source)


def _write(block: bytes, target: int) -> None:
    while block:
        block = block[os.write(target, block) :]
