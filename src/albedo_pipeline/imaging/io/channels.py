"""Choosing channels by their names, in files of one part or several."""

from dataclasses import dataclass
from typing import NamedTuple

LISTED = 8
"""Channel names that a message lists."""


class Part(NamedTuple):
    """One part (EXR), page or image of a file."""

    name: str
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """Which channels to read, in which part."""

    part: int
    channels: list[int]


def choose_colour(parts: list[Part], layer: str) -> Choice:
    """Red, green, blue and, where there is one, alpha of the one part that holds the layer.

    Args:
        parts: of the file.
        layer: "" for plain R, G, B; else the channels `layer.R`, or a part of that name.

    Raises:
        ValueError: where not exactly one part holds red, green and blue.
    """
    found = [
        Choice(number, [colours[c] for c in "RGBA" if c in colours])
        for number, part in enumerate(parts)
        if {"R", "G", "B"} <= (colours := _colours(part, layer)).keys()
    ]
    if len(found) > 1:
        names = ", ".join(parts[choice.part].name for choice in found)
        raise ValueError(f"parts {names}: {len(found)} parts hold red, green and blue")
    if not found:
        expected = f"{layer}.R, {layer}.G and {layer}.B" if layer else "red, green and blue"
        raise ValueError(f"{_listed(parts)}, expected {expected}")
    return found[0]


def choose_channel(parts: list[Part], name: str) -> Choice:
    """The one channel of this name, or of the name `part.channel`.

    Raises:
        ValueError: where there is not exactly one.
    """
    found = [
        Choice(number, [index])
        for number, part in enumerate(parts)
        for index, channel in enumerate(part.channels)
        if name in (channel, f"{part.name}.{channel}")
    ]
    if len(found) != 1:
        raise ValueError(f"{_listed(parts)}, expected one {name}")
    return found[0]


def choose_mask(parts: list[Part]) -> Choice:
    """Every channel of a mask but its alpha.

    Raises:
        ValueError: where there are several parts, or more than four channels.
    """
    if len(parts) > 1:
        raise ValueError(f"{len(parts)} parts, expected a mask of one")
    channels = parts[0].channels
    chosen = [i for i, name in enumerate(channels) if name.upper() != "A"] or [0]
    if len(chosen) > 4:
        raise ValueError(f"{_listed(parts)}, expected a mask of one to four")
    return Choice(0, chosen)


def _colours(part: Part, layer: str) -> dict[str, int]:
    """Index of the channel for each of R, G, B, A; an upper-case name goes before a lower-case."""
    stems = {layer, ""} if layer and part.name == layer else {layer}
    split = [name.rpartition(".") for name in part.channels]
    named = [(colour, i) for i, (stem, _, colour) in enumerate(split) if stem in stems]
    return {colour.upper(): i for colour, i in sorted(named, reverse=True)}


def _listed(parts: list[Part]) -> str:
    names = [name for part in parts for name in part.channels]
    more = ", …" if len(names) > LISTED else ""
    return f"{len(names)} channel(s) ({', '.join(names[:LISTED])}{more})"
