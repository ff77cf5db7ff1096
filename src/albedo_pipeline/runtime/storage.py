"""Files on a disk or in object storage: a URL is a path.

`location` is the one place where a text becomes a path. On a disk it is a plain `pathlib.Path`. In
object storage it is a `UPath` of fsspec, which has the methods of `Path` that this project uses; so
code says `folder / name` and `.read_text()` for both. What differs between the two is in this
module, in `atomic_files`, `locks` and `remote_folder`, and in `shards.remote_rows`.

Credentials and the address of the store come from where its other programs take them, such as
AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, or ~/.aws for S3.
"""

import io
import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard
from urllib.parse import unquote

from albedo_pipeline.errors import ProjectError, one_line

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://(.*)", re.DOTALL)
_EXTRAS = {"s3": "s3", "gs": "gcsfs", "az": "adlfs"}
"""By protocol: the extra of this project, or the package, that opens its URLs."""
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {
        # Standard mode waits longer after each try (0 to 20 s), also if the store says "slow down".
        "config_kwargs": {
            "retries": {"mode": "standard", "max_attempts": 10},
            "connect_timeout": 10,
            "read_timeout": 60,
        }
    }
}
PARALLEL_REQUESTS = 16
"""Number of requests at a time for many small objects: a store answers each in tens of ms."""


def location(url: str | Path) -> Path:
    """The file or folder at a path, `file://…`, or a URL of object storage such as `s3://…`.

    A URL gives a `UPath`, which the type checker is told is a `Path`.

    Raises:
        ProjectError: if no program for the protocol is installed; names what to install. Or if the
            URL holds a password, which would be written to logs and records.
    """
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    if match is None:
        return Path(url)
    protocol, rest = match.groups()
    user, at, place = rest.partition("/")[0].rpartition("@")
    if at and ":" in user:
        raise ProjectError(
            f"{protocol}://…@{place}: remove the password from the URL; credentials belong in the "
            "environment or in the store's own configuration, such as ~/.aws"
        )
    if protocol == "file":
        return Path(unquote(rest))
    if protocol not in _EXTRAS:
        known = ", ".join(f"{name}://" for name in ("file", *_EXTRAS))
        raise ProjectError(f"{url}: a URL begins with {known}")
    try:
        from upath import UPath

        # Listings are not kept in memory, because other processes write too.
        path: Any = UPath(url, use_listings_cache=False, **_OPTIONS.get(protocol, {}))
        assert path.fs is not None
    except ImportError as error:
        install = f"'albedo_pipeline[{_EXTRAS[protocol]}]'"
        if protocol != "s3":
            install = f"'albedo_pipeline[s3]' {_EXTRAS[protocol]}"
        raise ProjectError(
            f"{url}: the package for {protocol}:// is missing; run pip install {install}"
        ) from error
    return path


def beside(file: Path, name: str) -> Path:
    """What a name means that is written in a file: a URL, or a path relative to the file's folder.

    Raises:
        ProjectError: as `location` does, or if the name leaves the bucket.
    """
    if _URL.fullmatch(name) or Path(name).is_absolute():
        return location(name)
    if not is_remote(file):
        return file.parent / name
    folder = posixpath.normpath(f"{file.parent.path}/{name}")
    bucket = file.path.partition("/")[0]
    if folder.partition("/")[0] != bucket:
        raise ProjectError(f"{name!r}, beside {file}: leaves the bucket {bucket}")
    return location(f"{file.protocol}://{folder}")


def on_disk(url: str | Path, what: str) -> Path:
    """A path or `file://…` that must lead to a disk.

    Args:
        url: the path.
        what: what lies there, for the error, such as "raw pairs".

    Raises:
        ProjectError: if it is a URL of object storage.
    """
    if isinstance(url, str) and _URL.fullmatch(url) and not url.startswith("file://"):
        raise ProjectError(f"{url}: {what} must be on a disk; set another path in conf/")
    return location(url)


def is_remote(path: Path) -> TypeGuard[Any]:
    """Whether a path from `location` leads to object storage."""
    return not isinstance(path, Path)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents if they are missing; object storage has no folders to make."""
    if not is_remote(folder):
        folder.mkdir(parents=True, exist_ok=True)


def read(path: Path) -> bytes:
    """Content of a file, in one request if it is remote.

    Raises:
        FileNotFoundError: if there is no file.
        OSError: if it cannot be read; names the reason.
    """
    if not is_remote(path):
        return path.read_bytes()
    with store_errors(path):
        return path.fs.cat_file(path.path, start=0)  # without a start, s3fs asks for the size first


def opened(path: Path) -> BinaryIO:
    """A file, opened for reading; a remote one is read at once, in one request.

    Raises:
        FileNotFoundError: if there is no file.
        OSError: if it cannot be read; names the reason.
    """
    return io.BytesIO(read(path)) if is_remote(path) else path.open("rb")


def read_ranges(path: Any, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """Parts of a remote file, given as (offset, size) in bytes, requested at the same time.

    Raises:
        OSError: if one of them cannot be read; names the file and the reason.
    """
    with store_errors(path):
        return path.fs.cat_ranges(
            [path.path] * len(ranges),
            [offset for offset, _ in ranges],
            [offset + size for offset, size in ranges],
            max_gap=None,
            on_error="raise",
        )


def is_file(path: Path) -> bool:
    """Whether there is a file. `UPath.is_file` says no, too, if the store does not answer.

    Raises:
        OSError: if the store does not answer; names the file and the reason.
    """
    if not is_remote(path):
        return path.is_file()
    try:
        with store_errors(path):
            return path.fs.info(path.path)["type"] == "file"
    except FileNotFoundError:
        return False


def files_in(folder: Path, prefix: str = "") -> list[Path]:
    """The files of a folder whose names begin with `prefix`, sorted; none if there is no folder.

    In object storage this is a request for every thousand files, so it is done once in a run.
    """
    if not is_remote(folder):
        return sorted(path for path in folder.glob(f"{prefix}*") if path.is_file())
    return [path for path in _listed(folder, "file") if path.name.startswith(prefix)]


def folders_in(folder: Path) -> list[Path]:
    """The folders of a folder, sorted; none if there is no folder."""
    if not is_remote(folder):
        return sorted(path for path in folder.glob("*") if path.is_dir())
    return _listed(folder, "directory")


def _listed(folder: Any, kind: str) -> list[Path]:
    try:
        with store_errors(folder):
            found = folder.fs.ls(folder.path, detail=True, refresh=True)
    except FileNotFoundError:
        return []
    paths = {str(one["name"]).rstrip("/") for one in found if one["type"] == kind}
    paths -= {folder.path.rstrip("/")}  # some programs make an object for a folder
    return [folder / path.rpartition("/")[2] for path in sorted(paths)]


def file_states(folder: Any) -> dict[str, str]:
    """State of each file below a remote folder, by its name in the folder, with `/`.

    If there is a file, but no folder, at the path, its name is "". There is one request for every
    thousand files.

    Raises:
        FileNotFoundError: if there is no such bucket.
        OSError: if the folder cannot be listed; names the reason.
    """
    prefix = folder.path.rstrip("/")
    with store_errors(folder):
        found = folder.fs.find(folder.path, detail=True, withdirs=False)
    named = ((name.removeprefix(prefix).removeprefix("/"), found[name]) for name in found)
    return {name: _state_of(info) for name, info in named if not name.endswith("/")}


def file_state(path: Any) -> str:
    """Text that changes if a remote file is replaced, unless by the same content; one request.

    Raises:
        FileNotFoundError: if there is no file.
        OSError: if the store does not tell; names the reason.
    """
    with store_errors(path):
        info = path.fs.info(path.path)
    if info["type"] != "file":
        raise FileNotFoundError(f"{path}: a folder, expected a file")
    return _state_of(info)


def _state_of(info: dict[str, Any]) -> str:
    """Size and entity tag of a file; without a tag, its time. Packages name them differently."""
    version = next((info[key] for key in ("ETag", "etag") if info.get(key)), None)
    if version is None:
        times = ("LastModified", "last_modified", "updated", "mtime", "created")
        time = next((info[key] for key in times if info.get(key)), "")
        version = time.timestamp() if isinstance(time, datetime) else time
    tag = str(version).strip('"')
    return f"{info['size']}:{tag}"


def put(path: Any, content: bytes, **conditions: str) -> None:
    """Write a remote file; it appears complete or not at all.

    Args:
        path: the file.
        content: what it holds then.
        conditions: arguments of the store's request, such as `IfMatch` of S3.

    Raises:
        OSError: if it is not written; names the file and the reason.
    """
    with store_errors(path):
        path.fs.pipe_file(path.path, content, **conditions)


def create(path: Any, content: bytes) -> bool:
    """Write a remote file unless there is one, as one step of the store; whether it was written."""
    try:
        with store_errors(path):
            path.fs.pipe_file(path.path, content, mode="create")
    except FileExistsError:
        return False
    return True


def upload(source: Path, target: Any) -> None:
    """Copy a file from the disk to object storage; it appears complete or not at all."""
    with store_errors(target):
        target.fs.put_file(str(source), target.path)


def download(source: Any, target: Path) -> None:
    """Copy a file from object storage to the disk."""
    with store_errors(source):
        source.fs.get_file(source.path, str(target))


def remove(paths: Sequence[Any]) -> None:
    """Delete files, all of them local or all remote; those that are gone already do not matter."""
    if not paths or not is_remote(paths[0]):
        for path in paths:
            path.unlink(missing_ok=True)
        return
    with store_errors(paths[0]):
        try:
            paths[0].fs.rm([path.path for path in paths])
        except FileNotFoundError:
            for path in paths:
                path.unlink(missing_ok=True)


@contextmanager
def store_errors(path: Any) -> Iterator[None]:
    """Turn the errors of a store's package, which have no common type, into OSError.

    The message names the file, so that it can be shown to a user as it is.
    """
    try:
        yield
    except FileExistsError:
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: {one_line(error)}") from error
    except Exception as error:
        raise OSError(f"{path}: {one_line(error)}") from error
