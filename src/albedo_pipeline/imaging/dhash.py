"""A short code of a picture's look, for finding pictures that are nearly the same."""

import numpy as np

from albedo_pipeline.imaging.resize import resize_image

SIDE = 8


def difference_hash(grey: np.ndarray) -> int:
    """64 bits: whether each of 8 x 8 areas is brighter than its right neighbour ("dHash").

    Equal for pictures that differ in exposure or by noise; near duplicates differ in few bits.

    Args:
        grey: [H, W], any positive scale.
    """
    small = resize_image(grey[..., None], SIDE, SIDE + 1)[..., 0]
    bits = np.packbits((small[:, :-1] > small[:, 1:]).ravel())
    return int.from_bytes(bits.tobytes(), "big", signed=True)
