"""Deciding the colour space of an image: as declared, by the file's tag, or by its pixel type."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour import ColourSpace
from albedo_pipeline.imaging.declarations import ColourNotes, DeclaredSpace
from albedo_pipeline.imaging.io.colour_conversion import convert, equal_space, is_matrix_profile
from albedo_pipeline.imaging.io.colour_tags import ColourTag

_FLOATS = ("half", "float", "double")


@dataclass(frozen=True)
class Interpreted:
    """Pixels with their colour space."""

    pixels: np.ndarray
    """[H, W, 3], as stored, or float32 if they were converted."""
    space: ColourSpace
    notes: ColourNotes


def interpret(
    pixels: np.ndarray, pixel_type: str, tag: ColourTag | None, declared: DeclaredSpace
) -> Interpreted:
    """Decide the colour space of pixels; if it is none of the project's, convert them to Rec.709.

    A declared space is kept, and a tag that contradicts it is noted.

    Args:
        pixels: float16 or float32 [H, W, 3], as stored.
        pixel_type: type of the file's pixels: uint8, uint16, half, float, …
        tag: what the file says; None if it says nothing.
        declared: what the user says.

    Raises:
        ValueError: if `declared` is `auto` and the tag cannot be used; the message is the reason.
    """
    if declared != "auto":
        return Interpreted(pixels, declared, ColourNotes(doubt=_doubt(tag, declared)))
    if tag is None:
        space: ColourSpace = "linear" if pixel_type in _FLOATS else "srgb"
        return Interpreted(pixels, space, ColourNotes("pixel type"))
    try:
        return _by_tag(pixels, tag)
    except ValueError as error:
        raise ValueError(
            f"{tag.label} cannot be converted ({error}); convert the file, or set "
            "colour_space to linear, srgb or acescg if its values are that"
        ) from error


def _by_tag(pixels: np.ndarray, tag: ColourTag) -> Interpreted:
    if tag.problem:
        raise ValueError(tag.problem)
    same = equal_space(tag)
    if same is not None:
        return Interpreted(pixels, same, ColourNotes(tag.label))
    converted = convert(pixels, tag)
    by_tables = tag.profile and not is_matrix_profile(tag.profile)
    source = f"{tag.label}, converted{' in 8 bits' if by_tables else ''}"
    notes = ColourNotes(source, out_of_gamut=converted.out_of_gamut)
    return Interpreted(converted.pixels, converted.space, notes)


def _doubt(tag: ColourTag | None, declared: ColourSpace) -> str:
    """How the tag contradicts the declared space; empty if it does not."""
    if tag is None:
        return ""
    try:
        same = None if tag.problem else equal_space(tag)
    except ValueError:  # the profile is damaged, so it says nothing
        return ""
    return "" if same == declared else f"declared {declared}, but the file says {tag.label}"
