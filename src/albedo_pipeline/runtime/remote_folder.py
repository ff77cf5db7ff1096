"""Folders of files in object storage, such as models and checkpoints, and their copies on the disk.

The programs that read and write such files work on a disk. A folder in object storage therefore
holds its files as objects that are named by their content, and `manifest.json`, which gives each
file's name the SHA-256 of its object. The manifest is replaced last and in one step, so a reader
sees the old folder or the new one. A file that does not change is not sent again.
"""

import hashlib
import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.checksums import sha256
from albedo_pipeline.runtime.locks import HeldError, locked
from albedo_pipeline.runtime.storage import (
    download,
    files_in,
    is_remote,
    put,
    read,
    remove,
    upload,
)

logger = logging.getLogger(__name__)
_MANIFEST, _OBJECTS = "manifest.json", "objects"
_SYNCED = ".synced"
"""File in a working copy: digests of the manifests that the copy equals or is newer than.

It is in the copy, so a copy that was deleted or moved away is fetched again."""
_TRANSFERS = 4
"""Number of files that are sent at a time; a large one is sent in parallel parts."""
_AT_ONCE = 2**24
"""Bytes of the largest file that is read at once, so that it may change while it is sent."""
_remotes: dict[Path, Any] = {}
"""The folder in object storage of each working copy of this process."""
_sent: dict[Path, tuple[int, int, str]] = {}
"""By file of a working copy: size and time when its SHA-256 was computed, so that it is reused."""


def cache_folder() -> Path:
    """Where the copies are kept: `$XDG_CACHE_HOME/albedo_pipeline`, usually below `~/.cache`."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "albedo_pipeline"


def has_file(folder: Path, name: str) -> bool:
    """Whether a folder, on a disk or in object storage, holds a file."""
    return name in _manifest(folder) if is_remote(folder) else (folder / name).is_file()


def local_copy(folder: Path) -> Path:
    """A folder on the disk to read a finished folder from.

    Returns:
        A folder that was checked when it was copied, and is reused until the content changes. If
        `folder` is on a disk, or there is nothing in object storage, `folder` itself.

    Raises:
        ProjectError: if the store does not give the files, or other ones than were written.
    """
    if not is_remote(folder) or not (files := _manifest(folder)):
        return folder
    versions = cache_folder() / "folders" / _digest(str(folder).encode())
    copy = versions / _content_digest(files) / folder.name
    if copy.is_dir():
        return copy
    partial = versions / f".{uuid.uuid4().hex}.partial"
    try:
        _fetch(folder, files, partial / folder.name)
        with suppress(OSError):  # another process has made the same copy
            partial.rename(copy.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for other in versions.iterdir():
        if other != copy.parent and other.suffix != ".partial":
            shutil.rmtree(other, ignore_errors=True)
    return copy


def working_copy(folder: Path) -> Path:
    """A folder on the disk to read from and write to; `send` copies what changed back.

    It is brought up to date, unless a process of this machine holds it and keeps it so.

    Returns:
        The folder; `folder` itself if it is on a disk.
    """
    if not is_remote(folder):
        return folder
    copy = cache_folder() / "work" / _digest(str(folder).encode()) / folder.name
    _remotes[copy] = folder
    if os.environ.get("LOCAL_RANK", "0") == "0":  # one of torchrun's processes on a machine
        with suppress(HeldError), locked(copy, "another process"):
            fetch(copy)
    return copy


def beside(copy: Path, new: Path) -> None:
    """Make a new folder beside a working copy a working copy too."""
    if copy in _remotes:
        _remotes[new] = _remotes[copy].with_name(new.name)


def remote_of(copy: Path) -> Path:
    """The folder in object storage of a working copy; the folder itself if it has none."""
    return _remotes.get(copy, copy)


def fetch(copy: Path) -> None:
    """Make a working copy, if it is one, what the folder in object storage is; it must be held.

    A copy that was made from the folder's present content stays as it is: what differs is newer,
    and was not sent yet because the run was killed or the store did not take it.

    Raises:
        ProjectError: if the store does not give the files, or the copy cannot be written.
    """
    if copy not in _remotes:
        return
    for leftover in list(copy.rglob(".*.partial")):  # of a killed process
        if leftover.is_file():
            leftover.unlink()
    files = _manifest(_remotes[copy])
    if _content_digest(files) in _synced(copy):
        return
    _note_synced(copy, [])  # while it is a mixture of the two
    on_disk = _hashed(copy)
    _fetch(_remotes[copy], {n: s for n, s in files.items() if on_disk.get(n) != s}, copy)
    for name in on_disk.keys() - files.keys():
        (copy / name).unlink(missing_ok=True)
        with suppress(OSError):  # not empty yet
            (copy / name).parent.rmdir()
    _note_synced(copy, [_content_digest(files)])


def forget_synced(copy: Path) -> None:
    """Let the next `fetch` of a working copy give it all files of the folder in object storage.

    Call it before files are moved out of the copy, which a killed process must not lose.
    """
    if copy in _remotes:
        _note_synced(copy, [])


def send(copy: Path) -> None:
    """Make the folder in object storage what a working copy is, if it is one.

    Raises:
        ProjectError: if the store does not take it; the old content stays.
    """
    if copy not in _remotes:
        return
    files = _hashed(copy)
    # Noted before as well, because the answer to the last request can be lost.
    _note_synced(copy, [*_synced(copy), _content_digest(files)])
    sent = _replace(_remotes[copy], copy, files)
    _note_synced(copy, [_content_digest(sent)])


@contextmanager
def sent_at_end(send_copy: Callable[[], None]) -> Iterator[None]:
    """Call `send_copy` at the end of the context.

    If an error or a pause ends it, that is raised, and a failure to send is only logged: the
    working copy stays, and the next run sends it.
    """
    try:
        yield
    except BaseException:
        try:
            send_copy()
        except (ProjectError, OSError) as error:
            log_not_sent(error)
        raise
    send_copy()


def log_not_sent(error: BaseException) -> None:
    """Log that a working copy could not be sent while a run ends for another reason."""
    logger.error("%s; the files stay on this machine, run again here to send them", error)


def replace_remote(folder: Any, source: Path) -> None:
    """Replace the content of a folder in object storage by that of a folder on the disk.

    Raises:
        ProjectError: if the store does not take it; the old content stays.
    """
    _replace(folder, source, _hashed(source))


def _replace(folder: Any, source: Path, files: dict[str, str]) -> dict[str, str]:
    """Send the files, of which the digests are given; returns the digests of what was sent."""
    try:
        stored = {path.name for path in files_in(folder / _OBJECTS)}
        missing = [name for name, digest in files.items() if digest not in stored]
        with ThreadPoolExecutor(_TRANSFERS) as pool:
            sent = pool.map(lambda name: _send_file(folder, source / name, files[name]), missing)
            files = files | dict(zip(missing, sent, strict=True))
        put(folder / _MANIFEST, json.dumps({"files": files}, indent=1, sort_keys=True).encode())
        remove([folder / _OBJECTS / digest for digest in sorted(stored - set(files.values()))])
        return files
    except OSError as error:
        raise ProjectError(f"{folder}: not written ({error})") from error


def _send_file(folder: Any, path: Path, digest: str) -> str:
    """Send a file as an object; returns the SHA-256 of what was sent.

    That is `digest`, unless the file has grown since, as the log of a training does.
    """
    if path.stat().st_size > _AT_ONCE:
        upload(path, folder / _OBJECTS / digest)
        return digest
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    put(folder / _OBJECTS / digest, content)
    return digest


def _manifest(folder: Any) -> dict[str, str]:
    """SHA-256 of the objects by the names of the files; empty if there is no folder."""
    try:
        return json.loads(read(folder / _MANIFEST))["files"]
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ProjectError(f"{folder / _MANIFEST}: cannot be read ({error})") from error


def _synced(copy: Path) -> list[str]:
    """What `_note_synced` noted last; empty if nothing was."""
    try:
        return (copy / _SYNCED).read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return []


def _note_synced(copy: Path, manifests: list[str]) -> None:
    partial = copy / f"{_SYNCED}.partial"
    try:
        copy.mkdir(parents=True, exist_ok=True)
        partial.write_text("\n".join(manifests), encoding="utf-8")
        partial.replace(copy / _SYNCED)
    except OSError as error:
        raise ProjectError(f"{copy}: not written ({error})") from error


def _fetch(folder: Any, files: dict[str, str], target: Path) -> None:
    """Copy files to the disk, each of which appears complete or not at all.

    Raises:
        ProjectError: if a file cannot be fetched, or is not what was written; names it.
    """

    def fetch_one(name: str) -> None:
        path = target / name
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            download(folder / _OBJECTS / files[name], partial)
            if sha256(partial) != files[name]:
                raise ProjectError(f"{folder}: damaged ({name}: not what was written)")
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)

    target.mkdir(parents=True, exist_ok=True)
    try:
        with ThreadPoolExecutor(_TRANSFERS) as pool:
            list(pool.map(fetch_one, files))
    except OSError as error:
        raise ProjectError(f"{folder}: not read ({error})") from error


def _hashed(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder by its name, without hidden files and folders."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder) for path in paths]
    visible = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    with ThreadPoolExecutor() as pool:
        sums = pool.map(_sha256_once, (folder / name for name in visible))
        return {name.as_posix(): sum_ for name, sum_ in zip(visible, sums, strict=True)}


def _sha256_once(path: Path) -> str:
    stat = path.stat()
    size, time, digest = _sent.get(path, (-1, -1, ""))
    if (size, time) != (stat.st_size, stat.st_mtime_ns):
        digest = sha256(path)
        _sent[path] = (stat.st_size, stat.st_mtime_ns, digest)
    return digest


def _content_digest(files: dict[str, str]) -> str:
    return _digest(json.dumps(files, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
