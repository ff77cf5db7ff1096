"""Photographs with partial knowledge of their albedo: judgements, or measured surfaces."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from albedo_pipeline.readers.pair_files import read_from
from albedo_pipeline.readers.roots import Root

if TYPE_CHECKING:
    from albedo_pipeline.metrics.whdr import Judgement


@dataclass(frozen=True)
class Measured:
    """Surfaces whose albedo was measured."""

    colours: np.ndarray
    """Linear Rec.709, [n, 3]."""
    labels: np.ndarray
    """Integers [H, W]: 0 is not measured; the other values, sorted, belong to rows of `colours`."""


@dataclass(frozen=True)
class Photo:
    """One photograph, which is read on demand.

    All methods raise BadSampleError, naming the file, if a file cannot be used.
    """

    name: str
    root: Root
    image: str
    """The file's name in the root."""
    labels: tuple[str, ...]
    """Files that `read_known` reads."""
    group: str
    """Photographs of one scene."""
    read_known: "Callable[[], list[Judgement] | Measured]"
    """What is known of its albedo."""
    max_pixels: int

    def digest(self) -> str:
        """SHA-256 of all its files; hexadecimal."""
        digests = [read_from(self.root, n, _digest) for n in (self.image, *self.labels)]
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def read(self) -> np.ndarray:
        """sRGB-encoded, float32 [H, W, 3], in [0, 1]; colours are converted by the file's tag."""
        from albedo_pipeline.imaging.colour import encode_srgb, to_linear
        from albedo_pipeline.imaging.declarations import ReadOptions
        from albedo_pipeline.imaging.io.read import read_colour
        from albedo_pipeline.imaging.pixels import as_float32

        options = ReadOptions(alpha="ignore", grey=True)
        found = read_from(
            self.root, self.image, lambda path: read_colour(path, self.max_pixels, options=options)
        )
        pixels = as_float32(found.pixels)
        if found.space != "srgb":
            pixels = encode_srgb(to_linear(pixels, found.space).clip(0, 1))
        return pixels.clip(0, 1)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
