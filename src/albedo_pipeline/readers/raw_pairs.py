"""What every reader of raw pairs gives: a sequence of references, each loaded by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from albedo_pipeline.imaging.colour import ColourSpace


@dataclass(frozen=True)
class RawPair:
    """One pair as its files have it."""

    sample_id: str
    group: str
    beauty: np.ndarray
    """float16 or float32 [H, W, 3] in `beauty_space`, may pass 1."""
    albedo: np.ndarray
    """float16 or float32 [H, W, 3] in `albedo_space`."""
    valid: np.ndarray
    """bool [H, W], the reader's mask."""
    beauty_space: ColourSpace = "linear"
    """What the reader declares."""
    albedo_space: ColourSpace = "linear"
    beauty_type: str = "float"
    """Type of the file's own pixels: uint8, uint16, half, float, …"""
    albedo_type: str = "float"
    attributes: dict[str, str] = field(default_factory=dict)
    """Text attributes of the beauty file."""


@dataclass(frozen=True)
class RawPairReference:
    """A pair that has not been read yet."""

    sample_id: str
    group: str
    signature: Callable[[], str]
    """Cheap; differs where the files or the way they are read may have changed. Never raises."""
    load: Callable[[], RawPair]
    """Reads the files; raises BadSampleError with the reason where that fails."""
