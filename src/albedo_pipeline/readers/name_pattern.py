"""Patterns of file names: `{sample}`, `{group}` and `*`."""

import re
from typing import NamedTuple

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.root_names import nfc
from albedo_pipeline.readers.roots import Root

_FIELDS = {"{sample}": ".+", "{group}": "[^/]+", "*": "[^/]*"}
"""Fields of a pattern, as regular expressions."""


class SampleKey(NamedTuple):
    """The sample that a file belongs to, by its name; equal for all files of one sample."""

    group: str
    """"" if the pattern has no `{group}`."""
    sample: str

    @property
    def sample_id(self) -> str:
        """`group/sample`, or only the sample if there is no group."""
        return f"{self.group}/{self.sample}" if self.group else self.sample

    @property
    def composed(self) -> "SampleKey":
        """The key in Unicode's composed form, in which two spellings of one name are equal."""
        return SampleKey(nfc(self.group), nfc(self.sample))


class NamePattern:
    """A pattern of names: `{sample}` may span folders, `{group}` is one part, `*` lies within one.

    A field that occurs more than once stands for the same text each time, except for `*`.

    Args:
        key: the catalog's key, for error messages.
        text: the pattern.

    Raises:
        ProjectError: if the text has no `{sample}`, or another field; the message names the key.
    """

    def __init__(self, key: str, text: str) -> None:
        if not isinstance(text, str):
            raise ProjectError(f"{key}: {text!r} is not a pattern of names")
        pieces = re.split(r"(\{[^{}]*\}|\*)", text)
        self.text = text
        self.fields = {piece for piece in pieces if piece.startswith("{")}
        if "{sample}" not in self.fields or not self.fields <= _FIELDS.keys():
            raise ProjectError(
                f"{key}: {text!r} must contain {{sample}}, and may contain {{group}} and *"
            )
        self.literal_length = sum(len(piece) for piece in pieces if piece not in _FIELDS)
        """Number of characters outside fields; a pattern with more of them is more specific."""
        self._regex, self._composed = _compiled(pieces), _compiled(list(map(nfc, pieces)))

    def match(self, name: str) -> SampleKey | None:
        """The sample that a name belongs to; None if it does not fit the pattern.

        A name that differs from the pattern in its Unicode form only fits it.
        """
        match = self._regex.fullmatch(name) or self._composed.fullmatch(nfc(name))
        return match and SampleKey(match.groupdict().get("group", ""), match["sample"])

    def for_sample(self, key: SampleKey) -> str:
        """The pattern with the fields of one sample filled in; `*` is kept."""
        return self.text.replace("{group}", key.group).replace("{sample}", key.sample)


def files_by_role(
    root: Root, patterns: dict[str, NamePattern]
) -> dict[str, dict[SampleKey, list[str]]]:
    """For each role (beauty, albedo, …) the files of each sample, sorted by name.

    A file that fits several patterns belongs to the one with the most characters outside fields.
    A sample is spelled as its file of the first role is; a file of another role belongs to it too
    if its name differs in the Unicode form only.

    Raises:
        ProjectError: if no file fits one of the patterns; the message names the folder, the
            pattern and some of the files that there are.
    """
    names = root.names()
    files: dict[str, dict[SampleKey, list[str]]] = {role: {} for role in patterns}
    for name in names:
        keys = {role: key for role, p in patterns.items() if (key := p.match(name))}
        longest = max((patterns[role].literal_length for role in keys), default=0)
        for role, key in keys.items():
            if patterns[role].literal_length == longest:
                files[role].setdefault(key, []).append(name)
    first, *others = files.values()
    spelled = {key.composed: key for key in first}
    for samples in others:
        for key in [key for key in samples if key not in first and key.composed in spelled]:
            samples.setdefault(spelled[key.composed], []).extend(samples.pop(key))
    for role, samples in files.items():
        if not samples:
            raise ProjectError(
                f"{root.path}: no file fits the pattern {patterns[role].text!r} ({role})"
                f"{examples_of(names)}"
            )
    return files


def examples_of(names: list[str]) -> str:
    """End of a message about missing files: the first names that were found, if there are any."""
    return f"; found, for example, {', '.join(names[:3])}" if names else ""


def _compiled(pieces: list[str]) -> re.Pattern[str]:
    seen: set[str] = set()
    return re.compile("".join(_to_regex(piece, seen) for piece in pieces), re.DOTALL)


def _to_regex(piece: str, seen: set[str]) -> str:
    if piece not in _FIELDS or piece == "*":
        return _FIELDS.get(piece, re.escape(piece))
    name = piece.strip("{}")
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    return f"(?P<{name}>{_FIELDS[piece]})"
