"""What the user declares of an image file, and what was found about its colours."""

from dataclasses import dataclass
from typing import Literal

from albedo_pipeline.imaging.colour import ColourSpace

DeclaredSpace = Literal["auto", ColourSpace]
"""A declared colour space; with `auto` the file's tags decide, or else the type of its pixels."""
AlphaRule = Literal["mask", "ignore"]
"""What alpha means: `mask` leaves out pixels that are not opaque, `ignore` takes all pixels."""


@dataclass(frozen=True)
class ReadOptions:
    """What the user declares of a colour image."""

    space: DeclaredSpace = "auto"
    alpha: AlphaRule = "mask"
    grey: bool = False
    """Whether a grey image is read, as equal red, green and blue."""


AUTO = ReadOptions()
"""Nothing is declared."""


@dataclass(frozen=True)
class ColourNotes:
    """How the colour space of an image was found."""

    source: str = "declared"
    """`declared`, `pixel type`, or the file's tag, as in `ICC profile (Display P3), converted`."""
    doubt: str = ""
    """How the file's tag contradicts the declared space; empty if it does not."""
    out_of_gamut: int = 0
    """Number of pixels that a conversion by the tag brought into Rec.709."""
