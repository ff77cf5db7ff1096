"""Perceptual hash of an image, for finding near-duplicates."""

import numpy as np

from albedo_pipeline.imaging.resize import resize_image

SIDE = 8
"""Rows and columns of areas whose brightness is compared."""


def difference_hash(grey: np.ndarray) -> int:
    """64 bits: whether each of 8 x 8 areas is brighter than its right neighbour.

    This is "dHash" (N. Krawetz, "Kind of Like That", 2013). Images that differ in exposure or by
    noise have the same hash, and near-duplicates differ in few bits.

    Args:
        grey: [H, W], on any positive scale.

    Returns:
        The bits as a signed 64-bit integer, the top left area first.
    """
    small = resize_image(grey[..., None], SIDE, SIDE + 1)[..., 0]
    bits = np.packbits((small[:, :-1] > small[:, 1:]).ravel())
    return int.from_bytes(bits.tobytes(), "big", signed=True)
