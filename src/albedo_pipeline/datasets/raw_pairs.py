"""What every reader of raw pairs gives: a sequence of references, each loaded by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class RawPair:
    """One pair as its files have it, brought to linear Rec.709."""

    sample_id: str
    group: str
    beauty: np.ndarray
    """float32 [H, W, 3], linear, may pass 1."""
    albedo: np.ndarray
    """float32 [H, W, 3], linear."""
    valid: np.ndarray
    """bool [H, W], the reader's mask."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Text attributes of the beauty file."""


@dataclass(frozen=True)
class RawPairReference:
    """A pair that has not been read yet."""

    sample_id: str
    group: str
    load: Callable[[], RawPair]
    """Reads the files; raises BadSampleError with the reason where that fails."""
