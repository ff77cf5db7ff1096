"""The members of an uncompressed tar: the position of their bytes, and which are refused."""

import posixpath
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from albedo_pipeline.errors import ProjectError, UnreachableError, one_line
from albedo_pipeline.runtime.storage import store_errors

_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
"""First bytes of gzip, bzip2, xz, zstandard and zip."""
_REQUESTED_AT_ONCE = 1 << 18
"""Bytes of a request while an archive in object storage is listed: headers of small members come
together, and of large members little else is requested."""


class Member(NamedTuple):
    """Position of a file in the archive."""

    offset: int
    size: int
    modified: float


@dataclass(frozen=True)
class TarIndex:
    """What was found when the archive was listed."""

    members: dict[str, Member]
    """Plain files by their normalised names; of equal names the last."""
    refused: dict[str, str]
    """Other members' normalised names, and why they are never read."""
    state: tuple[int, int, int] | str
    """Size, time of change in nanoseconds and inode of the archive; in object storage, its state
    there, see `runtime.storage.file_state`."""

    @cached_property
    def one_time(self) -> bool:
        """Whether all members have the same modification time."""
        return len({member.modified for member in self.members.values()}) == 1


def read_index(path: Path) -> TarIndex:
    """List an archive by its headers.

    Raises:
        ProjectError: if it is no uncompressed `.tar`, damaged or cut off; names it.
    """
    try:
        stat = path.stat()
        with path.open("rb") as file:
            members, refused, damage = _headers(file, path.suffix)
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read ({one_line(error)})") from error
    if damage:
        raise ProjectError(f"{path}: {damage}")
    return TarIndex(members, refused, (stat.st_size, stat.st_mtime_ns, stat.st_ino))


def read_remote_index(path: Any, state: str) -> TarIndex:
    """List an archive in object storage by its headers, of which each request gives one or more.

    Args:
        path: the archive.
        state: see `TarIndex.state`.

    Raises:
        ProjectError: as `read_index`, or if the store does not give the headers.
    """
    options = {"block_size": _REQUESTED_AT_ONCE, "cache_type": "readahead"}
    try:
        with store_errors(path), path.fs.open(path.path, "rb", **options) as file:
            members, refused, damage = _headers(file, path.suffix)
    except OSError as error:
        raise UnreachableError(f"{error}; the archive was not listed") from error
    if damage:
        raise ProjectError(f"{path}: {damage}")
    return TarIndex(members, refused, state)


def _headers(file: BinaryIO, suffix: str) -> tuple[dict[str, Member], dict[str, str], str | None]:
    """The members, those that are refused, and what is wrong with the archive, if anything is."""
    members: dict[str, Member] = {}
    refused: dict[str, str] = {}
    if file.read(8).startswith(_COMPRESSED):
        return {}, {}, "is compressed; decompress it to a plain .tar (or unpack it)"
    if suffix.lower() != ".tar":
        return {}, {}, "neither a folder nor a .tar"
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            while info := archive.next():
                # A million of them would fill the memory.
                archive.members.clear()  # type: ignore[attr-defined]
                name = posixpath.normpath(info.name)
                reason = _refusal(info, name)
                members.pop(name, None)
                refused.pop(name, None)
                if reason:
                    refused[name] = reason
                elif info.isfile():
                    members[name] = Member(info.offset_data, info.size, info.mtime)
            end = archive.offset
    except tarfile.TarError as error:
        return {}, {}, f"not a sound .tar ({one_line(error)})"
    file.seek(end)
    # It ends in zeros, because tarfile stops silently at a damaged header.
    damage = f"not a sound .tar (damaged at byte {end})" if file.read(512).strip(b"\0") else None
    return members, refused, damage


def _refusal(info: tarfile.TarInfo, name: str) -> str | None:
    if posixpath.isabs(name) or name == ".." or name.startswith("../"):
        return "leaves the folder of the data"
    if info.issym() or info.islnk():
        return "is a link in the archive, expected a plain file"
    if info.issparse():
        return "is sparse in the archive, expected a plain file"
    if not (info.isfile() or info.isdir()):
        return "is a device in the archive, expected a plain file"
    return None
