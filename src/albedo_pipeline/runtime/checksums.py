"""Checksums of a folder's files, by which a reader sees whether they are what was written."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from albedo_pipeline.errors import ProjectError, one_line

CHECKSUMS = "checksums.json"
"""File of the checksums: SHA-256 by path, relative to the folder."""
_NOT_CHECKED = (CHECKSUMS, "README.md")  # a model card may be edited
_PACKAGE = Path(__file__).parents[1]


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files that are in the folder, except of its README."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    sums = _checksums(folder, [name for name in names if name not in _NOT_CHECKED])
    (folder / CHECKSUMS).write_text(json.dumps(sums, indent=2), encoding="utf-8")


def damage(folder: Path, within: str = "") -> str | None:
    """What is wrong with a folder's files; None if all of them are undamaged.

    Args:
        folder: a folder with checksums.
        within: check only the files of this subfolder.
    """
    prefix = f"{within}/" if within else ""
    try:
        stored = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
        expected = {name: sum_ for name, sum_ in stored.items() if name.startswith(prefix)}
        missing = sorted(name for name in expected if not (folder / name).is_file())
        if missing:
            return f"{', '.join(missing)}: missing"
        actual = _checksums(folder, list(expected))
    except (OSError, ValueError, AttributeError) as error:
        return f"{CHECKSUMS}: {one_line(error)}"
    wrong = sorted(name for name in expected if actual[name] != expected[name])
    return f"{', '.join(wrong)}: not what was written" if wrong else None


@contextmanager
def verified(folder: Path, written_by: str | None = None, within: str = "") -> Iterator[None]:
    """Check a model's files in another thread while they are loaded.

    A folder without checksums is not checked: an older version wrote it, or another program.

    Args:
        folder: the folder of the model; it need not exist.
        written_by: the pipeline that writes it; None if the model is not the project's own.
        within: the subfolder that is loaded, if it is not the complete folder.

    Raises:
        ProjectError: if a file is not what was written, instead of any error of the loading; names
            the file, and says how to get it again.
    """
    if not (folder / CHECKSUMS).is_file():
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(damage, folder, within)
        try:
            yield
        finally:
            reason = found.result()
            if reason:
                raise ProjectError(f"{folder}: damaged ({reason}); {_remedy(folder, written_by)}")


def _remedy(folder: Path, written_by: str | None) -> str:
    if written_by:
        return f"run the pipeline {written_by} again"
    if folder.is_relative_to(_PACKAGE):
        return "install the package again"
    return "get it again from where it came from, or run the pipeline that wrote it again"


def _checksums(folder: Path, names: list[str]) -> dict[str, str]:
    """SHA-256 of each file, computed on several threads."""
    with ThreadPoolExecutor() as pool:
        sums = pool.map(sha256, (folder / name for name in names))
        return dict(zip(names, sums, strict=True))


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
