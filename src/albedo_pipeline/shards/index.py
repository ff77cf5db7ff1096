"""The index of a folder of shards: its files in order, and the samples that were rejected.

It is replaced in one step, so that a reader sees the old content or the new one, never a mixture.
"""

import hashlib
import json
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from albedo_pipeline.errors import ProjectError, UnreachableError, one_line
from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.storage import files_in, is_file, is_remote, read, remove

_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Source:
    """What some rows of a shard build are made from."""

    name: str
    """Name of the source; no two sources of a build have the same."""
    signature: str
    """Text that changes if the rows must be made again."""


@dataclass(frozen=True)
class Rejected:
    """A sample that cannot be used, and the reason."""

    sample_id: str
    group: str
    reason: str
    retry: bool = False
    """Whether the next run should try again."""


@dataclass(frozen=True)
class Index:
    """Content of a folder of shards."""

    shards: list[str]
    """Names of the files, in the order of the rows."""
    rejected: list[Rejected] = field(default_factory=list)
    """Samples that have no rows."""
    companions: int = 0
    """Number of companion files beside the sources; see `runtime.companions`."""


def has_index(folder: Path) -> bool:
    """Whether a run has finished the folder's content.

    Raises:
        UnreachableError: if the store does not answer; names the file.
    """
    try:
        return is_file(folder / _INDEX)
    except OSError as error:
        raise UnreachableError(one_line(error)) from error


def read_index(folder: Path) -> Index:
    """Read the index of a folder.

    Raises:
        UnreachableError: if the store does not give the index; names it.
        ProjectError: if there is no index, or it is damaged; names the file.
    """
    try:
        content = json.loads(read(folder / _INDEX))
        rejected = [Rejected(**item) for item in content["rejected"]]
        return Index(content["shards"], rejected, content.get("companions", 0))
    except FileNotFoundError as error:
        raise ProjectError(
            f"{folder}: no finished shards here; run the pipeline that makes them to its end"
        ) from error
    except OSError as error:
        raise UnreachableError(one_line(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ProjectError(f"{folder / _INDEX}: damaged ({one_line(error)})") from error


def publish(folder: Path, index: Index) -> None:
    """Make `index` the folder's content, and remove the files that it does not name.

    Raises:
        ProjectError: if it names no shard; the old content stays.
    """
    if not index.shards:
        reasons = Counter(item.reason for item in index.rejected).most_common(1)
        why = "".join(f"; {count} x {reason}" for reason, count in reasons)
        raise ProjectError(f"{folder}: no usable sample among {len(index.rejected)}{why}")
    content = {"shards": index.shards, "rejected": [asdict(item) for item in index.rejected]}
    if index.companions:
        content["companions"] = index.companions
    write_text(folder / _INDEX, json.dumps(content, indent=1, ensure_ascii=False))
    sweep(folder, index.shards)


def sweep(folder: Path, keep: Iterable[str]) -> None:
    """Remove all shards but those to keep, and files that killed processes left half-written."""
    keep = {Path(name).stem for name in keep}
    # In object storage a shard has a head beside it, which has the same stem.
    found = [path for path in files_in(folder, "shard-") if path.suffix in (".arrow", ".head")]
    remove([path for path in found if path.stem not in keep])
    sweep_partial(folder)


def sweep_partial(folder: Path) -> None:
    """Remove files that killed processes of this machine left half-written.

    The process that runs a build does so before others write, while it alone holds the folder.
    """
    if is_remote(folder):  # object storage itself holds no unfinished files
        for path in Path(tempfile.gettempdir()).glob(f"{_temporary_prefix(folder)}*.partial"):
            with suppress(PermissionError):  # another user's
                path.unlink(missing_ok=True)
    else:
        remove(list(folder.glob(".*.partial")))


def new_partial(folder: Path) -> Path:
    """Path on a disk for a shard of the folder while it is written; `sweep_partial` finds it."""
    # Not a file of `tempfile`, which only its owner can read.
    name = f"{uuid.uuid4().hex}.partial"
    if is_remote(folder):
        return Path(tempfile.gettempdir()) / (_temporary_prefix(folder) + name)
    return folder / f".shard-{name}"


def _temporary_prefix(folder: Path) -> str:
    """Of the names of a remote folder's half-written shards in the temporary folder."""
    return f".shard-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}-"
