"""Companions: files that systems and programs leave beside the user's own, with similar names."""

from collections.abc import Iterable

_FOLDERS = {
    "__macosx",  # macOS, in archives
    ".appledouble",  # netatalk
    "@eadir",  # Synology
    ".thumbs",
    ".thumbnails",
    ".ipynb_checkpoints",  # Jupyter
}
_FILES = {".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini"}
_APPLE_DOUBLE = "._"
"""Prefix of the file in which macOS keeps the attributes of another file."""
EXAMPLES = "._name, .DS_Store, Thumbs.db, @eaDir, …"
"""Companions that a message names, so that a reader knows what is meant."""


def is_companion(name: str) -> bool:
    """Whether a file or folder of this name, without its path, is a companion; in any case."""
    folded = name.casefold()
    return name.startswith(_APPLE_DOUBLE) or folded in _FILES or folded in _FOLDERS


def without_companions(paths: Iterable[str]) -> tuple[list[str], int]:
    """The paths of which no part is a companion, and the number of companions in the others.

    Args:
        paths: relative paths of files, with `/`. Files in one companion folder count as one.
    """
    kept: list[str] = []
    companions: set[tuple[str, ...]] = set()
    for path in paths:
        parts = path.split("/")
        first = next((i for i, part in enumerate(parts) if is_companion(part)), None)
        if first is None:
            kept.append(path)
        else:
            companions.add(tuple(parts[: first + 1]))
    return kept, len(companions)
