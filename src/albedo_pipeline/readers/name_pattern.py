"""Patterns of file names: `{sample}`, `{group}` and `*`."""

import re
from typing import NamedTuple

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.roots import Root

_FIELDS = {"{sample}": ".+", "{group}": "[^/]+", "*": "[^/]*"}


class Key(NamedTuple):
    """What a pattern finds in a name; equal for the files of one sample."""

    group: str
    """"" where the pattern has no `{group}`."""
    sample: str

    @property
    def sample_id(self) -> str:
        """`group/sample`, or the sample alone."""
        return f"{self.group}/{self.sample}" if self.group else self.sample


class NamePattern:
    """A pattern of names: `{sample}` may span folders, `{group}` is one part, `*` lies within one.

    Each field may stand more than once, for the same text.
    """

    def __init__(self, key: str, text: str) -> None:
        """
        Raises:
            ProjectError: naming the catalog's key, where `{sample}` is missing or another field is
                there.
        """
        if not isinstance(text, str):
            raise ProjectError(f"{key}: {text!r} is not a pattern of names")
        pieces = re.split(r"(\{[^{}]*\}|\*)", text)
        self.text = text
        self.fields = {piece for piece in pieces if piece.startswith("{")}
        if "{sample}" not in self.fields or not self.fields <= _FIELDS.keys():
            raise ProjectError(f"{key}: {text!r} should have {{sample}}, and may have {{group}}")
        self.literal = sum(len(piece) for piece in pieces if piece not in _FIELDS)
        """Number of characters that are given."""
        seen: set[str] = set()
        self._regex = re.compile("".join(_translated(piece, seen) for piece in pieces), re.DOTALL)

    def match(self, name: str) -> Key | None:
        """The sample that a name belongs to, if it fits."""
        found = self._regex.fullmatch(name)
        return found and Key(found.groupdict().get("group", ""), found["sample"])

    def filled(self, key: Key) -> str:
        """The pattern for one sample, its stars left in."""
        return self.text.replace("{group}", key.group).replace("{sample}", key.sample)


def files_by_role(root: Root, patterns: dict[str, NamePattern]) -> dict[str, dict[Key, list[str]]]:
    """For each role (beauty, albedo, …) the files of each sample, in the order of their names.

    A file that fits several patterns belongs to the one with the most characters given.

    Raises:
        ProjectError: where a pattern fits no file; names folder and pattern, and some files.
    """
    names = root.names()
    found: dict[str, dict[Key, list[str]]] = {role: {} for role in patterns}
    for name in names:
        keys = {role: key for role, p in patterns.items() if (key := p.match(name))}
        closest = max((patterns[role].literal for role in keys), default=0)
        for role, key in keys.items():
            if patterns[role].literal == closest:
                found[role].setdefault(key, []).append(name)
    for role, samples in found.items():
        if not samples:
            there = f"; there are, for example, {', '.join(names[:3])}" if names else ""
            raise ProjectError(
                f"{root.path}: no file fits the pattern {patterns[role].text!r} ({role}){there}"
            )
    return found


def _translated(piece: str, seen: set[str]) -> str:
    if piece not in _FIELDS or piece == "*":
        return _FIELDS.get(piece, re.escape(piece))
    name = piece.strip("{}")
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    return f"(?P<{name}>{_FIELDS[piece]})"
