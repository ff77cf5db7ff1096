"""Raw pairs that are named in a text file, one sample on each line: `beauty albedo [mask]`."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.pair_files import (
    PairFiles,
    PairReader,
    ReaderOptions,
    group_of,
    sample_id_of,
)
from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference
from albedo_pipeline.readers.roots import open_root
from albedo_pipeline.runtime.atomic_files import replaced_folder

_MARKER = ".rendered"
"""Empty file in a folder that `save` wrote, and may therefore replace."""
_NAME = re.compile(r'[ \t]*(?:"((?:[^"]|"")+)"(?![^ \t])|([^" \t][^ \t]*))')


class FilenameListDataset(PairReader[RawPairReference]):
    """A list of file names, separated by spaces, relative to the list's own folder.

    The beauty comes first, then the albedo, then the mask if there is one; all lines have the same
    number of names. A name with spaces is put in double quotes (a quote within it is doubled). A
    sample is named by its beauty file; its group is the folder of this file, or the sample itself
    if the file is in no folder. Empty lines and lines that begin with `#` are skipped.

        raw_pairs:
          type: albedo_pipeline.readers.filename_list.FilenameListDataset
          filepath: data/01_raw/mine/pairs.txt
          root: images.tar
          colour_space: {beauty: linear, albedo: srgb}

    Args:
        filepath: the text file, UTF-8.
        root: folder or uncompressed `.tar` that the names are relative to; relative to the list's
            folder, or absolute.
        options: `colour_space`, `mask_rule`, `max_megapixels`, `alpha`, `grey_beauty`; see
            `PairReader`.
    """

    def __init__(self, *, filepath: str, root: str = ".", **options: Any) -> None:
        super().__init__(filepath=filepath, **options)
        self._root = self._path.parent / root

    def load(self) -> list[RawPairReference]:
        """References in the order of the list.

        Raises:
            ProjectError: if the list or the root is missing, the list is empty or names a sample
                twice, or a line does not name two or three files, or not as many as the first
                line. The message names the file and the line.
        """
        if not self._path.is_file():
            raise ProjectError(
                f"{self._path}: no such file; it should list the pairs, one 'beauty albedo [mask]' "
                "a line (for the demo's own: kedro run --pipelines synthesize)"
            )
        lines = dict(_names_by_line(self._path))
        if not lines:
            raise ProjectError(f"{self._path}: lists no samples")
        _check_counts(self._path, lines)
        root = open_root(self._root)
        numbers: dict[str, int] = {}
        references = []
        for number, names in lines.items():
            sample_id = sample_id_of(names[0])
            if sample_id in numbers:
                raise ProjectError(
                    f"{self._path}, line {number}: sample {sample_id!r} is already in line "
                    f"{numbers[sample_id]}"
                )
            numbers[sample_id] = number
            group = group_of(names[0], sample_id)
            beauty, albedo, *others = names
            mask = others[0] if others else None
            pair = PairFiles(sample_id, group, root, beauty, albedo, mask, self._options)
            references.append(pair.reference())
        return references

    def save(self, data: Iterable[RawPair]) -> None:
        """Write pairs as EXR files (linear, half floats) and the list that names them.

        The folder of the list is replaced.

        Raises:
            ProjectError: if the folder has files that were not written by this method, or if
                `load` would not read back what is written, because of the reader's options.
        """
        folder = self._path.parent
        readable = ReaderOptions(max_pixels=self._options.max_pixels)
        if self._options != readable or self._root != folder / ".":
            raise ProjectError(
                f"{self._path}: to save pairs, set colour_space to linear and mask_rule to "
                "above_half, and leave out root"
            )
        if folder.exists() and any(folder.iterdir()) and not (folder / _MARKER).exists():
            raise ProjectError(
                f"{folder}: holds files that this project did not write, so it is not replaced; "
                "save to a new folder"
            )
        with replaced_folder(folder) as partial_folder:
            (partial_folder / _MARKER).touch()
            lines = [_write_pair(partial_folder, pair) for pair in data]
            (partial_folder / self._path.name).write_text("".join(lines), encoding="utf-8")

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, object]:
        return super()._describe() | {"root": str(self._root)}


def _names_by_line(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path}: not UTF-8 text ({error})") from error
    # Not splitlines(): it also splits at characters that may be part of a file's name.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip(" \t\r")
        if line and not line.startswith("#"):
            yield number, _split_names(line, f"{path}, line {number}")


def _split_names(line: str, location: str) -> list[str]:
    names, position = [], 0
    while position < len(line):
        match = _NAME.match(line, position)
        if match is None:
            raise ProjectError(f"{location}: a double quote is not closed, or encloses no name")
        quoted, plain = match.groups()
        names.append(plain or quoted.replace('""', '"'))
        position = match.end()
    if len(names) not in (2, 3):
        raise ProjectError(f"{location}: {len(names)} name(s), expected 'beauty albedo [mask]'")
    return names


def _check_counts(path: Path, lines: dict[int, list[str]]) -> None:
    first, names = next(iter(lines.items()))
    for number, others in lines.items():
        if len(others) != len(names):
            raise ProjectError(
                f"{path}, line {number}: {len(others)} names, but line {first} has {len(names)}"
            )


def _quoted(name: str) -> str:
    is_plain = not re.search(r"\s", name) and not name.startswith(('"', "#"))
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def _write_pair(folder: Path, pair: RawPair) -> str:
    from albedo_pipeline.imaging.io.write import write_exr

    images = {
        "beauty": (pair.beauty, pair.attributes),
        "albedo": (pair.albedo, {}),
        "mask": (pair.valid[..., None].astype(np.float32), {}),
    }
    names = [f"{pair.sample_id}_{role}.exr" for role in images]
    (folder / names[0]).parent.mkdir(parents=True, exist_ok=True)
    for name, (pixels, attributes) in zip(names, images.values(), strict=True):
        write_exr(folder / name, pixels, attributes, half=True)
    return " ".join(map(_quoted, names)) + "\n"
