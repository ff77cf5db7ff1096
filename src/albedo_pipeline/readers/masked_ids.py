"""Masking pixels by the ids of entities or materials whose target is no albedo."""

import numpy as np

from albedo_pipeline.errors import BadSampleError, ProjectError


def check_masked_ids(ids: object, masked_ids: object) -> tuple[int, ...]:
    """Check the arguments `ids` and `masked_ids` of a reader, of which neither works alone.

    Args:
        ids: where the ids of the pixels are; None if they are not used.
        masked_ids: the ids whose pixels are masked.

    Raises:
        ProjectError: if one of the two is missing, or `masked_ids` is not a list of whole numbers.
    """
    numbers = masked_ids if isinstance(masked_ids, list | tuple) else None
    if numbers is None or not all(type(number) is int for number in numbers):
        raise ProjectError(f"masked_ids: {masked_ids!r} is not a list of whole numbers")
    if ids is None and numbers:
        raise ProjectError("ids: is not set, but masked_ids is; say where the ids are")
    if ids is not None and not numbers:
        raise ProjectError("masked_ids: is empty, but ids is set; list the ids to mask")
    return tuple(numbers)


def mask_ids(
    valid: np.ndarray, ids: np.ndarray, masked: tuple[int, ...]
) -> tuple[np.ndarray, float]:
    """Mask the pixels that have one of some ids.

    Args:
        valid: bool [H, W], of the beauty's size.
        ids: numbers [H, W].
        masked: the ids to mask.

    Returns:
        The mask, and the share of all pixels that were valid and are not any more.

    Raises:
        BadSampleError: if the ids have another size.
    """
    if ids.shape != valid.shape:
        sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (ids, valid)]
        raise BadSampleError(f"ids is {sizes[0]} but beauty is {sizes[1]}")
    found = valid & np.isin(ids, masked)
    return valid & ~found, float(found.mean())
