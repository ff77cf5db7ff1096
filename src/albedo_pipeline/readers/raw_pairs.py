"""What every reader of raw pairs returns: a list of references, each of which loads one pair."""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, overload

import numpy as np

from albedo_pipeline.imaging.colour import ColourSpace
from albedo_pipeline.imaging.declarations import ColourNotes

SPLITS = ("train", "validation", "test")
"""Names of the splits."""


@dataclass(frozen=True)
class RawPair:
    """One pair as its files store it."""

    sample_id: str
    group: str
    beauty: np.ndarray
    """float16 or float32 [H, W, 3] in `beauty_space`; values may exceed 1."""
    albedo: np.ndarray
    """float16 or float32 [H, W, 3] in `albedo_space`."""
    valid: np.ndarray
    """bool [H, W], the reader's mask."""
    beauty_space: ColourSpace = "linear"
    """Colour space of the beauty: as the reader declares it, or found if that is `auto`."""
    albedo_space: ColourSpace = "linear"
    """Colour space of the albedo: as the reader declares it, or found if that is `auto`."""
    beauty_type: str = "float"
    """Type of the pixels in the beauty file: uint8, uint16, half, float, …"""
    albedo_type: str = "float"
    """Type of the pixels in the albedo file."""
    masked_id_share: float = 0.0
    """Share of all pixels that were masked because of their id."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Text attributes of the beauty file."""
    beauty_notes: ColourNotes = field(default_factory=ColourNotes)
    """How the colour space of the beauty was found."""
    albedo_notes: ColourNotes = field(default_factory=ColourNotes)
    """How the colour space of the albedo was found."""


@dataclass(frozen=True)
class RawPairReference:
    """A pair that has not been read yet."""

    sample_id: str
    group: str
    signature: Callable[[], str]
    """Text that changes if the files, or the way they are read, may have changed. It is cheap to
    get, and getting it never raises."""
    load: Callable[[], RawPair]
    """Reads the files; raises BadSampleError with the reason if that fails."""
    beauty: str | None = None
    """Name of the beauty file; None if it is unknown. Lists of a split may name it."""
    split: str | None = None
    """One of `SPLITS`, or "" for none of them, if the raw data says it; None if it does not."""


ReferenceRow = Sequence[Any]
"""What a reader makes a reference from: texts and numbers, first the `sample_id`."""
_ROWS_AT_A_TIME = 1024


class References(Sequence[RawPairReference]):
    """References in a stable order, each of which is made when it is asked for.

    In memory are the rows that they are made from, compressed in blocks, because ten million
    references would be more than ten gigabytes of Python's objects.
    """

    def __init__(
        self,
        rows: Iterable[ReferenceRow],
        make: Callable[[ReferenceRow], RawPairReference],
        companions: int = 0,
    ) -> None:
        """
        Args:
            rows: a row for each reference.
            make: makes the reference of a row.
            companions: number of companion files that were passed over; see `runtime.companions`.
        """
        self.companions = companions
        self._make, self._blocks, self._length = make, list[bytes](), 0
        self._last: tuple[int, list[ReferenceRow]] = (-1, [])
        rows = iter(rows)
        while block := list(islice(rows, _ROWS_AT_A_TIME)):
            self._blocks.append(zlib.compress(json.dumps(block).encode(), 1))
            self._length += len(block)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> RawPairReference: ...
    @overload
    def __getitem__(self, place: slice) -> list[RawPairReference]: ...
    def __getitem__(self, place: int | slice) -> RawPairReference | list[RawPairReference]:
        found = range(self._length)[place]
        return self._at(found) if isinstance(found, int) else list(map(self._at, found))

    def __iter__(self) -> Iterator[RawPairReference]:
        return map(self._make, self.rows())

    def rows(self) -> Iterator[ReferenceRow]:
        """The rows that the references are made from."""
        return (row for block in range(len(self._blocks)) for row in self._block(block))

    def where(self, is_wanted: Callable[[RawPairReference], bool]) -> "References":
        """Those references that are wanted."""
        wanted = (row for row in self.rows() if is_wanted(self._make(row)))
        return References(wanted, self._make, self.companions)

    def first_repeated(self) -> tuple[ReferenceRow, ReferenceRow] | None:
        """The first row that repeats a `sample_id`, and the row before it that has the same one.

        None if all names differ. Eight bytes a row are in memory while the names are compared.
        """
        hashes = np.fromiter((hash(row[0]) for row in self.rows()), np.int64, self._length)
        ordered = np.sort(hashes)
        if not (again := set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())):
            return None
        earlier: dict[object, ReferenceRow] = {}
        for row in self.rows():
            if hash(row[0]) in again:  # two names may have one hash
                if row[0] in earlier:
                    return row, earlier[row[0]]
                earlier[row[0]] = row
        return None

    def _at(self, place: int) -> RawPairReference:
        block, number = divmod(place, _ROWS_AT_A_TIME)
        return self._make(self._block(block)[number])

    def _block(self, number: int) -> list[ReferenceRow]:
        last = self._last
        if last[0] != number:
            last = self._last = (number, json.loads(zlib.decompress(self._blocks[number])))
        return last[1]
