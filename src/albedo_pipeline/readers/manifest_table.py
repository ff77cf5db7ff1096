"""Raw pairs that are named in a table, one sample in each row."""

import csv
import difflib
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.readers.pair_files import (
    PairFiles,
    PairReader,
    ReaderOptions,
    check_colour_space,
    group_of,
    sample_id_of,
)
from albedo_pipeline.readers.raw_pairs import SPLITS, RawPairReference
from albedo_pipeline.readers.roots import open_root
from albedo_pipeline.runtime.storage import beside

REQUIRED = ("beauty", "albedo")
SPACES = ("colour_space", "beauty_colour_space", "albedo_colour_space")
COLUMNS = (*REQUIRED, "mask", "sample_id", "group", "split", *SPACES)
"""All columns that the reader knows."""

Row = dict[str, str]
"""Cells by column."""


class ManifestTableDataset(PairReader[RawPairReference]):
    """A CSV or Parquet table with the columns `beauty` and `albedo`, and optionally more.

    Optional columns are `mask`, `sample_id`, `group`, `split` (`train`, `validation` or `test`),
    and, for tables that mix colour spaces, `colour_space` (of both images), `beauty_colour_space`
    and `albedo_colour_space`. For an empty cell the defaults are: no mask; the name of the beauty
    file without its suffix; the folder of the beauty file, or the sample itself if the file is in
    no folder; no split, so that the sample is left out; the reader's `colour_space`.

        raw_pairs:
          type: albedo_pipeline.readers.manifest_table.ManifestTableDataset
          filepath: data/01_raw/mine/pairs.csv
          root: images
          ignore: [camera, iso]

    Args:
        filepath: `.csv` (UTF-8, commas, a header) or `.parquet`; a path or a URL.
        root: folder or uncompressed `.tar` that the names are relative to; relative to the table's
            folder, absolute, or a URL.
        ignore: other columns of the table, which the reader skips; `split`, too, if it is not to
            decide the split.
        options: `colour_space`, `mask_rule`, `max_megapixels`, `alpha`, `grey_beauty`; see
            `PairReader`.
    """

    def __init__(
        self, *, filepath: str, root: str = ".", ignore: Sequence[str] = (), **options: Any
    ) -> None:
        super().__init__(filepath=filepath, **options)
        if isinstance(ignore, str) or not all(isinstance(name, str) for name in ignore):
            raise ProjectError(f"ignore: {ignore!r} is not a list of columns")
        if self._path.suffix.lower() not in (".csv", ".parquet"):
            raise ProjectError(f"filepath: {filepath} is neither .csv nor .parquet")
        self._root = beside(self._path, root)
        self._ignore = tuple(ignore)

    def load(self) -> list[RawPairReference]:
        """References in the order of the table.

        Raises:
            ProjectError: if the table or the root is missing, a row or column is wrong, or a
                sample is in two rows. The message names the row; the one below the header is 1.
        """
        is_csv = self._path.suffix.lower() == ".csv"
        columns, rows = (_read_csv if is_csv else _read_parquet)(self._path, self._content())
        _check_columns(self._path, columns, self._ignore)
        if not rows:
            raise ProjectError(f"{self._path}: has no rows")
        root = open_root(self._root)
        numbers: dict[str, int] = {}
        references = []
        for number, row in enumerate(rows, start=1):
            location = f"{self._path}, row {number}"
            for column in REQUIRED:
                if not row[column]:
                    raise ProjectError(f"{location}: {column} is empty")
            sample_id = row.get("sample_id") or sample_id_of(row["beauty"])
            if sample_id in numbers:
                raise ProjectError(
                    f"{location}: sample {sample_id!r} is already in row {numbers[sample_id]}"
                )
            numbers[sample_id] = number
            pair = PairFiles(
                sample_id=sample_id,
                group=row.get("group") or group_of(row["beauty"], sample_id),
                root=root,
                beauty=row["beauty"],
                albedo=row["albedo"],
                mask=row.get("mask") or None,
                options=_options_of_row(self._options, row, location),
            )
            split = None if "split" in self._ignore else _split_of(row, location)
            references.append(replace(pair.reference(), split=split))
        return references

    def _describe(self) -> dict[str, object]:
        return super()._describe() | {"root": str(self._root), "ignore": self._ignore}


def _split_of(row: Row, location: str) -> str | None:
    """The cell of the column `split`, "" if it is empty; None if there is no such column."""
    split = row.get("split")
    if split and split not in SPLITS:
        raise ProjectError(f"{location}, split: {split!r} is not one of {', '.join(SPLITS)}")
    return split


def _options_of_row(default: ReaderOptions, row: Row, location: str) -> ReaderOptions:
    given = {
        column: check_colour_space(f"{location}, {column}", row[column])
        for column in SPACES
        if row.get(column)
    }
    if not given:
        return default
    both_images = given.get("colour_space")
    return replace(
        default,
        beauty_space=given.get("beauty_colour_space", both_images or default.beauty_space),
        albedo_space=given.get("albedo_colour_space", both_images or default.albedo_space),
    )


def _read_csv(path: Path, content: bytes) -> tuple[list[str], list[Row]]:
    # pandas would fill short lines up, and take the first column of long ones as an index.
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            columns = next(reader, [])
            rows = []
            for cells in reader:
                if cells and len(cells) != len(columns):
                    raise ProjectError(
                        f"{path}, line {reader.line_num}: {len(cells)} cell(s), but the header has "
                        f"{len(columns)}"
                    )
                if cells:
                    rows.append(dict(zip(columns, cells, strict=True)))
        except csv.Error as error:
            raise ProjectError(f"{path}, line {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise ProjectError(f"{path}: not UTF-8 text ({error})") from error
    return columns, rows


def _read_parquet(path: Path, content: bytes) -> tuple[list[str], list[Row]]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        table = pa.parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise ProjectError(f"{path}: not a valid Parquet file ({one_line(error)})") from error
    rows = [
        {name: "" if cell is None or cell != cell else str(cell) for name, cell in row.items()}
        for row in table.to_pylist()
    ]
    return table.column_names, rows


def _check_columns(path: Path, columns: list[str], ignore: Sequence[str]) -> None:
    for column in columns:
        if columns.count(column) > 1:
            raise ProjectError(f"{path}: the column {column!r} occurs twice")
        if column not in COLUMNS and column not in ignore:
            raise ProjectError(
                f"{path}: unknown column {column!r}{_hint(column, COLUMNS)}; known are "
                f"{', '.join(COLUMNS)}; to skip a column, add it to `ignore`"
            )
    for column in REQUIRED:
        if column not in columns:
            raise ProjectError(f"{path}: the column {column!r} is missing")


def _hint(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
