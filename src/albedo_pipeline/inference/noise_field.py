"""Noise for images of any size; any part of it can be computed separately."""

import hashlib
import os

import torch

from albedo_pipeline.diffusion.seeds import Purpose, normal

_BLOCK = 64
"""Width and height of a block, in latent cells."""


def field_noise(
    seed: int, name: str, members: int, channels: int, rows: slice, columns: slice
) -> torch.Tensor:
    """A part of an endless field of standard normal noise, [members, channels, h, w].

    The field is a function of seed, name, ensemble member and place. So neighbouring tiles get the
    same noise where they overlap, and neither the tiles nor their order change it.

    Args:
        name: name of the field; like a file name, it need not be valid UTF-8.
        rows, columns: latent cells of the part, counted from 0.
    """
    result = torch.empty(members, channels, rows.stop - rows.start, columns.stop - columns.start)
    for down in range(rows.start // _BLOCK, -(-rows.stop // _BLOCK)):
        for across in range(columns.start // _BLOCK, -(-columns.stop // _BLOCK)):
            to_rows, from_rows = _overlap(rows, down)
            to_columns, from_columns = _overlap(columns, across)
            digest = hashlib.sha256(os.fsencode(f"{name}\0{down}\0{across}")).digest()
            place = int.from_bytes(digest[:8], "big")
            for member in range(members):
                shape = (channels, _BLOCK, _BLOCK)
                block = normal(seed, Purpose.SAMPLING, place, member, shape)
                result[member, :, to_rows, to_columns] = block[:, from_rows, from_columns]
    return result


def _overlap(part: slice, block: int) -> tuple[slice, slice]:
    """Overlap of a part and a block: in coordinates of the part, and of the block."""
    origin = block * _BLOCK
    start, stop = max(part.start, origin), min(part.stop, origin + _BLOCK)
    return slice(start - part.start, stop - part.start), slice(start - origin, stop - origin)
