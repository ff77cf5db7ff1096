"""Noise for pictures of any size, of which any part can be had by itself."""

import hashlib
import os

import torch

from albedo_pipeline.diffusion.seeds import Purpose, normal

_BLOCK = 64
"""Cells on a block's side."""


def field_noise(
    seed: int, name: str, members: int, channels: int, rows: slice, columns: slice
) -> torch.Tensor:
    """A part of an endless field of standard normal noise, [members, channels, h, w].

    A function of seed, name, ensemble member and place: neighbouring tiles see the same noise
    where they overlap, and neither the tiles nor their order change it.

    Args:
        name: of the field; may hold what no text encoding knows, as file names may.
        rows, columns: in cells, from 0 on.
    """
    result = torch.empty(members, channels, rows.stop - rows.start, columns.stop - columns.start)
    for down in range(rows.start // _BLOCK, -(-rows.stop // _BLOCK)):
        for across in range(columns.start // _BLOCK, -(-columns.stop // _BLOCK)):
            to_rows, from_rows = _common(rows, down)
            to_columns, from_columns = _common(columns, across)
            digest = hashlib.sha256(os.fsencode(f"{name}\0{down}\0{across}")).digest()
            place = int.from_bytes(digest[:8], "big")
            for member in range(members):
                shape = (channels, _BLOCK, _BLOCK)
                block = normal(seed, Purpose.SAMPLING, place, member, shape)
                result[member, :, to_rows, to_columns] = block[:, from_rows, from_columns]
    return result


def _common(part: slice, block: int) -> tuple[slice, slice]:
    """Where a part and a block meet: as seen from the part, and from the block."""
    origin = block * _BLOCK
    start, stop = max(part.start, origin), min(part.stop, origin + _BLOCK)
    return slice(start - part.start, stop - part.start), slice(start - origin, stop - origin)
