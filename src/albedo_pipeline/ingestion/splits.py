"""The split: a pure function of the group's name, so that adding samples moves none."""

import hashlib

SPLITS = ("train", "validation", "test")


def split_of(group: str, validation: float, test: float, salt: str) -> str:
    """Split of a group: SHA-256 of salt and name, read as a number in [0, 1)."""
    digest = hashlib.sha256(f"{salt}/{group}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"
