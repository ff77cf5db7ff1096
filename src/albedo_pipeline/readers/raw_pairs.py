"""What every reader of raw pairs returns: a list of references, each of which loads one pair."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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


class FoundPairs(list[RawPairReference]):
    """References that were found by listing a folder or an archive.

    Args:
        references: the references, in a stable order.
        companions: number of companion files that were passed over; see `runtime.companions`.
    """

    def __init__(self, references: Iterable[RawPairReference], companions: int) -> None:
        super().__init__(references)
        self.companions = companions
