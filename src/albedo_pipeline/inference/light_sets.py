"""Sets of samples that show the same surfaces under different lights."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

PROBES = 256
"""Pixels that are compared before whole images are."""

Truth = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""Row => (albedo [3, H, W], valid [1, H, W]) as they are stored."""


@dataclass(frozen=True)
class _Set:
    rows: list[int]
    probe: tuple[np.ndarray, np.ndarray]


def light_sets(groups: Iterable[tuple[int, str]], truth: Truth) -> list[list[int]]:
    """Rows by the surfaces they show, each in its order; most sets are of one row.

    Two samples of one group belong together where their albedo is equal, bit for bit, at every
    pixel that is valid in both, and there are such pixels.

    Args:
        groups: row and group of every sample.
    """
    found: dict[str, list[_Set]] = {}
    for row, group in groups:
        albedo, valid = truth(row)
        probe = _probe(albedo, valid)
        sets = found.setdefault(group, [])
        for known in sets:
            if _equal(probe, known.probe) and _equal((albedo, valid), truth(known.rows[0])):
                known.rows.append(row)
                break
        else:
            sets.append(_Set([row], probe))
    return [known.rows for sets in found.values() for known in sets]


def _probe(albedo: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels spread evenly over the image, [3, n] and [1, n]."""
    flat = albedo.reshape(3, -1), valid.reshape(1, -1)
    places = np.linspace(0, flat[0].shape[1] - 1, PROBES).astype(int)
    return flat[0][:, places], flat[1][:, places]


def _equal(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> bool:
    if one[0].shape != other[0].shape:
        return False
    both = (one[1] == 1) & (other[1] == 1)
    return bool(both.any() and (one[0] == other[0])[:, both[0]].all())
