"""Choosing channels by their names, in files with one part or several."""

from dataclasses import dataclass
from typing import NamedTuple

MAX_LISTED = 8
"""Largest number of channel names that a message lists."""

GREY_HINT = "; the reader's option grey_beauty takes a grey beauty"
"""End of a message about a grey image."""


class Part(NamedTuple):
    """One part (EXR), page or image of a file."""

    name: str
    channels: tuple[str, ...]
    """Names of the channels, in the order of the file."""


@dataclass(frozen=True)
class ChannelChoice:
    """The channels to read, and the part that holds them."""

    part: int
    """Index of the part."""
    channels: list[int]
    """Indices of the channels in the part; grey is chosen three times."""

    @property
    def is_grey(self) -> bool:
        """Whether one channel is red, green and blue."""
        return len(self.channels) > 2 and self.channels[0] == self.channels[1]


def choose_colour(
    parts: list[Part], layer: str, grey: bool = False, alpha: bool = True
) -> ChannelChoice:
    """Choose red, green, blue and, if there is one, alpha of the one part that holds the layer.

    Args:
        parts: all parts of the file.
        layer: "" for the plain channels R, G and B; else the prefix of the channels (`layer.R`),
            or the name of a part.
        grey: whether a part whose only channel is Y, besides alpha, counts; Y is then red, green
            and blue.
        alpha: whether alpha is chosen too.

    Raises:
        ValueError: if no part, or more than one, holds red, green and blue.
    """
    found = [_colour_channels(part, layer) for part in parts]
    names = "RGBA" if alpha else "RGB"
    choices = [
        ChannelChoice(number, [colours[c] for c in names if c in colours])
        for number, colours in enumerate(found)
        if {"R", "G", "B"} <= colours.keys()
    ]
    greys = [number for number, colours in enumerate(found) if colours.keys() - {"A"} == {"Y"}]
    if grey and not choices:
        grey_names = names.replace("R", "Y").replace("G", "Y").replace("B", "Y")
        choices = [
            ChannelChoice(number, [found[number][c] for c in grey_names if c in found[number]])
            for number in greys
        ]
    if len(choices) > 1:
        listed = ", ".join(parts[choice.part].name for choice in choices)
        raise ValueError(
            f"parts {listed}: {len(choices)} parts hold red, green and blue, expected one"
        )
    if not choices:
        expected = f"{layer}.R, {layer}.G and {layer}.B" if layer else "red, green and blue"
        hint = GREY_HINT if greys else ""
        raise ValueError(f"{_describe_channels(parts)}, expected {expected}{hint}")
    return choices[0]


def choose_channel(parts: list[Part], name: str) -> ChannelChoice:
    """Choose the one channel that is called `name`, or `part.channel`.

    Raises:
        ValueError: if there is not exactly one.
    """
    choices = [
        ChannelChoice(number, [index])
        for number, part in enumerate(parts)
        for index, channel in enumerate(part.channels)
        if name in (channel, f"{part.name}.{channel}")
    ]
    if len(choices) != 1:
        raise ValueError(f"{_describe_channels(parts)}, expected one {name}")
    return choices[0]


def choose_mask(parts: list[Part]) -> ChannelChoice:
    """Choose every channel of a mask except its alpha.

    Raises:
        ValueError: if there are several parts, or more than four channels.
    """
    if len(parts) > 1:
        raise ValueError(f"{len(parts)} parts, expected a mask with one part")
    channels = parts[0].channels
    chosen = [i for i, name in enumerate(channels) if name.upper() != "A"] or [0]
    if len(chosen) > 4:
        raise ValueError(f"{_describe_channels(parts)}, expected a mask with one to four")
    return ChannelChoice(0, chosen)


def _colour_channels(part: Part, layer: str) -> dict[str, int]:
    """Index of the channel for each of R, G, B and A; "R" is preferred to "r"."""
    prefixes = {layer, ""} if layer and part.name == layer else {layer}
    split = [name.rpartition(".") for name in part.channels]
    named = [(colour, i) for i, (prefix, _, colour) in enumerate(split) if prefix in prefixes]
    # Upper-case letters sort before lower-case ones; the last entry for a key stays in the dict.
    return {colour.upper(): i for colour, i in sorted(named, reverse=True)}


def _describe_channels(parts: list[Part]) -> str:
    names = [name for part in parts for name in part.channels]
    more = ", …" if len(names) > MAX_LISTED else ""
    return f"{len(names)} channel(s) ({', '.join(names[:MAX_LISTED])}{more})"
