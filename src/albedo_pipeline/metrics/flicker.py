"""Flicker: how much a prediction changes from frame to frame where the scene does not change.

    flicker = sum over pairs of frames and still pixels of |a(t) - a(t - 1)| / number of these

a(t) is the predicted albedo of frame t, and |…| the mean over the channels. A pixel is still if no
channel of a reference changes by more than a tolerance. The reference is the beauty, or the true
albedo if it is known. All images are sRGB-encoded in [0, 1], so 0.01 is a change of one percent of
the range. Lower is steadier.
"""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 2 / 255
"""Change of the reference that is still none: the rounding of 8 bits, once up and once down."""


@dataclass(frozen=True)
class Flicker:
    """Sums over pairs of frames; `+` adds further pairs."""

    change: float = 0.0
    """Sum of the changes of the still pixels."""
    still: int = 0
    """Number of still pixels."""
    pixels: int = 0
    """Number of all pixels."""

    def __add__(self, other: "Flicker") -> "Flicker":
        return Flicker(
            self.change + other.change, self.still + other.still, self.pixels + other.pixels
        )

    @property
    def mean(self) -> float | None:
        """Mean change of a still pixel; None if there is no such pixel."""
        return self.change / self.still if self.still else None

    @property
    def still_share(self) -> float:
        """Share of the pixels that are still."""
        return self.still / self.pixels if self.pixels else 0.0


def flicker_of_pair(
    albedo: np.ndarray,
    next_albedo: np.ndarray,
    reference: np.ndarray,
    next_reference: np.ndarray,
) -> Flicker:
    """The sums of two neighbouring frames, all float32 [H, W, 3], sRGB-encoded, in [0, 1]."""
    still = (np.abs(next_reference - reference) <= TOLERANCE).all(axis=-1)
    change = np.abs(next_albedo - albedo).mean(axis=-1)[still]
    return Flicker(float(change.sum(dtype=np.float64)), int(still.sum()), still.size)
