"""Digest of the project's own code that a result depends on."""

import hashlib
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def code_digest(*names: str) -> str:
    """Of Python files and of all in a room, by their paths in the package: `imaging/masks.py`."""
    digest = hashlib.sha256()
    for name in names:
        path = _PACKAGE / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
