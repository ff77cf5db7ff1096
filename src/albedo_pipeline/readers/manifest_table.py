"""Raw pairs that are named in a table, one sample in each row."""

import csv
import difflib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.imaging.declarations import DeclaredSpace
from albedo_pipeline.readers.pair_files import (
    PairFiles,
    PairReader,
    ReaderOptions,
    check_colour_space,
    group_of,
    sample_id_of,
)
from albedo_pipeline.readers.raw_pairs import SPLITS, RawPairReference, ReferenceRow, References
from albedo_pipeline.readers.roots import Root, open_root
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

    def load(self) -> References:
        """References in the order of the table.

        Raises:
            ProjectError: if the table or the root is missing, a row or column is wrong, or a
                sample is in two rows. The message names the row; the one below the header is 1.
        """
        is_csv = self._path.suffix.lower() == ".csv"
        with self._opened() as table:
            cells = (_read_csv if is_csv else _read_parquet)(self._path, table)
            columns = next(cells)
            _check_columns(self._path, columns, self._ignore)
            rows = (dict(zip(columns, row, strict=True)) for row in cells)
            root, options = open_root(self._root), cache(partial(_options, self._options))
            references = References(self._rows(rows), partial(_reference, root, options))
        if not references:
            raise ProjectError(f"{self._path}: has no rows")
        if repeated := references.first_repeated():
            (sample_id, number, *_), (_, earlier, *_) = repeated
            raise ProjectError(
                f"{self._path}, row {number}: sample {sample_id!r} is already in row {earlier}"
            )
        return references

    def _rows(self, rows: Iterator[Row]) -> Iterator[ReferenceRow]:
        """The name of each sample, its row, its group, files and split, and its colour spaces."""
        for number, row in enumerate(rows, start=1):
            location = f"{self._path}, row {number}"
            for column in REQUIRED:
                if not row[column]:
                    raise ProjectError(f"{location}: {column} is empty")
            sample_id = row.get("sample_id") or sample_id_of(row["beauty"])
            group = row.get("group") or group_of(row["beauty"], sample_id)
            names = (row["beauty"], row["albedo"], row.get("mask") or None)
            split = None if "split" in self._ignore else _split_of(row, location)
            spaces = _spaces_of(row, location)
            yield sample_id, number, group, *names, split, *spaces

    def _describe(self) -> dict[str, object]:
        return super()._describe() | {"root": str(self._root), "ignore": self._ignore}


def _split_of(row: Row, location: str) -> str | None:
    """The cell of the column `split`, "" if it is empty; None if there is no such column."""
    split = row.get("split")
    if split and split not in SPLITS:
        raise ProjectError(f"{location}, split: {split!r} is not one of {', '.join(SPLITS)}")
    return split


def _spaces_of(row: Row, location: str) -> Iterator[DeclaredSpace | None]:
    """The colour spaces that a row declares, in the order of `SPACES`; None if a cell is empty."""
    for column in SPACES:
        cell = row.get(column)
        yield check_colour_space(f"{location}, {column}", cell) if cell else None


def _options(
    default: ReaderOptions,
    both: DeclaredSpace | None,
    beauty: DeclaredSpace | None,
    albedo: DeclaredSpace | None,
) -> ReaderOptions:
    return replace(
        default,
        beauty_space=beauty or both or default.beauty_space,
        albedo_space=albedo or both or default.albedo_space,
    )


def _reference(
    root: Root, options: Callable[..., ReaderOptions], row: ReferenceRow
) -> RawPairReference:
    sample_id, _, group, beauty, albedo, mask, split, *spaces = row
    pair = PairFiles(sample_id, group, root, beauty, albedo, mask, options(*spaces))
    return replace(pair.reference(), split=split)


def _read_csv(path: Path, table: BinaryIO) -> Iterator[list[str]]:
    """The header, then the cells of each row."""
    # pandas would fill short lines up, and take the first column of long ones as an index.
    with io.TextIOWrapper(table, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            columns = next(reader, [])
            yield columns
            for cells in reader:
                if cells and len(cells) != len(columns):
                    raise ProjectError(
                        f"{path}, line {reader.line_num}: {len(cells)} cell(s), but the header has "
                        f"{len(columns)}"
                    )
                if cells:
                    yield cells
        except csv.Error as error:
            raise ProjectError(f"{path}, line {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise ProjectError(f"{path}: not UTF-8 text ({error})") from error


def _read_parquet(path: Path, table: BinaryIO) -> Iterator[list[str]]:
    """The header, then the cells of each row as text."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        file = pa.parquet.ParquetFile(table)
        yield file.schema_arrow.names
        for batch in file.iter_batches():
            columns = (map(_text, column.to_pylist()) for column in batch.columns)
            yield from map(list, zip(*columns, strict=True))
    except (pa.ArrowException, OSError) as error:
        raise ProjectError(f"{path}: not a valid Parquet file ({one_line(error)})") from error


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell)


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
