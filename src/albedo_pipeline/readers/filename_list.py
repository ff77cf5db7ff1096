"""Raw pairs that are named in a text file, one sample on each line: `beauty albedo [mask]`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.name_list import names_by_line
from albedo_pipeline.readers.pair_files import (
    PairFiles,
    PairReader,
    ReaderOptions,
    group_of,
    sample_id_of,
)
from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference, ReferenceRow, References
from albedo_pipeline.readers.roots import open_root
from albedo_pipeline.runtime.atomic_files import replaced_folder
from albedo_pipeline.runtime.storage import beside, is_remote

_MARKER = ".rendered"
"""Empty file in a folder that `save` wrote, and may therefore replace."""
_ROLES = ("beauty", "albedo", "mask")

Columns = tuple[str | None, ...]
"""The role of each name in a line: `beauty`, `albedo`, `mask`, or None for a name to skip."""


class Preset(NamedTuple):
    """How a published list is to be read."""

    columns: Columns
    options: dict[str, Any]
    """Options of `PairReader` that say what the listed files hold."""


PRESETS = {
    "interiorverse_iid": Preset(
        ("beauty", "albedo", None, "mask"), {"colour_space": "linear", "mask_rule": "non_zero"}
    ),
    "hypersim_iid": Preset(
        ("beauty", "albedo", None, None, None),
        {"colour_space": {"beauty": "srgb", "albedo": "linear"}},
    ),
}
"""The lists that Marigold publishes for intrinsic images, by the folder in its `data_split`:
`image albedo material mask`, and `image albedo shading residual statistics`."""


class FilenameListDataset(PairReader[RawPairReference]):
    """A list of file names, separated by spaces, relative to the list's own folder.

    The beauty comes first, then the albedo, then the mask if there is one; for a list with other
    columns set `columns` or `preset`. All lines have the same number of names. A name with spaces
    is put in double quotes (a quote within it is doubled). A sample is named by its beauty file;
    its group is the folder of this file, or the sample itself if the file is in no folder. Empty
    lines and lines that begin with `#` are skipped.

        raw_pairs:
          type: albedo_pipeline.readers.filename_list.FilenameListDataset
          filepath: data/01_raw/mine/pairs.txt
          root: images.tar
          colour_space: {beauty: linear, albedo: srgb}

    Args:
        filepath: the text file, UTF-8; a path or a URL.
        root: folder or uncompressed `.tar` that the names are relative to; relative to the list's
            folder, absolute, or a URL.
        columns: what each name in a line is: `beauty`, `albedo`, `mask`, or null to skip it. None:
            `beauty albedo [mask]`, or those of the preset.
        preset: `interiorverse_iid` or `hypersim_iid`: columns, colour space and mask rule of a
            published list. Options that are given replace those of the preset.
        options: `colour_space`, `mask_rule`, `max_megapixels`, `alpha`, `grey_beauty`; see
            `PairReader`.
    """

    def __init__(
        self,
        *,
        filepath: str,
        root: str = ".",
        columns: Sequence[str | None] | None = None,
        preset: str | None = None,
        **options: Any,
    ) -> None:
        if preset is not None and preset not in PRESETS:
            raise ProjectError(f"preset: {preset!r} is not one of {', '.join(PRESETS)}")
        defaults = PRESETS[preset] if preset else Preset((), {})
        super().__init__(filepath=filepath, **(defaults.options | options))
        self._root = beside(self._path, root)
        self._columns = defaults.columns if columns is None else _checked_columns(columns)

    def load(self) -> References:
        """References in the order of the list.

        Raises:
            ProjectError: if the list or the root is missing, the list is empty or names a sample
                twice, or a line does not have one name for each column. The message names the
                file and the line.
        """
        missing = (
            "no such file; it should list the pairs, one 'beauty albedo [mask]' a line (for the "
            "demo's own: kedro run --pipelines synthesize)"
        )
        with self._opened(missing) as file:
            root, options = open_root(self._root), self._options

            def reference(row: ReferenceRow) -> RawPairReference:
                sample_id, _, beauty, albedo, mask = row
                group = group_of(beauty, sample_id)
                return PairFiles(sample_id, group, root, beauty, albedo, mask, options).reference()

            references = References(self._rows(file), reference)
        if repeated := references.first_repeated():
            (sample_id, number, *_), (_, earlier, *_) = repeated
            raise ProjectError(
                f"{self._path}, line {number}: sample {sample_id!r} is already in line {earlier}"
            )
        return references

    def _rows(self, file: BinaryIO) -> Iterator[ReferenceRow]:
        """The name of each sample, its line, and the names of its beauty, albedo and mask."""
        for number, names in _same_count(self._path, file, self._columns):
            columns = self._columns or _ROLES[: len(names)]
            files = {role: name for role, name in zip(columns, names, strict=True) if role}
            yield sample_id_of(files["beauty"]), number, *map(files.get, _ROLES)

    def save(self, data: Iterable[RawPair]) -> None:
        """Write pairs as EXR files (linear, half floats) and the list that names them.

        The folder of the list is replaced.

        Raises:
            ProjectError: if the folder has files that were not written by this method, or if
                `load` would not read back what is written, because of the reader's options.
        """
        if is_remote(self._path):
            raise ProjectError(f"{self._path}: pairs are saved to a disk only")
        folder = self._path.parent
        readable = ReaderOptions(max_pixels=self._options.max_pixels)
        if self._options != readable or self._root != folder / "." or self._columns:
            raise ProjectError(
                f"{self._path}: to save pairs, set colour_space to linear and mask_rule to "
                "above_half, and leave out root, columns and preset"
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
        return super()._describe() | {"root": str(self._root), "columns": self._columns}


def _checked_columns(columns: Sequence[str | None]) -> Columns:
    """Return the columns if each role is known and named once, and beauty and albedo are there.

    Raises:
        ProjectError: if not.
    """
    given = columns if isinstance(columns, list | tuple) else ()
    roles = [role for role in given if role is not None]
    is_known = all(role in _ROLES and roles.count(role) == 1 for role in roles)
    if not is_known or not {"beauty", "albedo"} <= set(roles):
        raise ProjectError(
            f"columns: {columns!r} is not a list with beauty and albedo once each, mask at most "
            "once, and null for every name to skip"
        )
    return tuple(given)


def _same_count(path: Path, file: BinaryIO, columns: Columns) -> Iterator[tuple[int, list[str]]]:
    """`names_by_line`; each line has a name for each column, or two or three without columns.

    Raises:
        ProjectError: if a line does not; names the file and the line.
    """
    lines = names_by_line(path, file)
    first, names = next(lines)
    if columns and len(names) != len(columns):
        roles = " ".join(role or "null" for role in columns)
        raise ProjectError(
            f"{path}, line {first}: {len(names)} name(s), but there are {len(columns)} columns "
            f"({roles})"
        )
    if not columns and len(names) not in (2, 3):
        raise ProjectError(
            f"{path}, line {first}: {len(names)} name(s), expected 'beauty albedo [mask]'; for a "
            f"list with other columns, set columns, or preset ({', '.join(PRESETS)})"
        )
    yield first, names
    for number, others in lines:
        if len(others) != len(names):
            raise ProjectError(
                f"{path}, line {number}: {len(others)} name(s), but line {first} has {len(names)}"
            )
        yield number, others


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
