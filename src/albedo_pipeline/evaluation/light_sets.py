"""Sets of samples that show the same surfaces under different lights."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

PROBES = 256
"""Pixels that are compared before whole images are, scattered so that they lie on no line."""

_Pixels = tuple[np.ndarray, np.ndarray]
"""Albedo [3, ...] and valid [1, ...]."""

Truth = Callable[[int], _Pixels]
"""Row => (albedo [3, H, W], valid [1, H, W]) as they are stored."""


@dataclass(frozen=True)
class _Set:
    rows: list[int]
    probe: _Pixels


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
            if not _differ(probe, known.probe) and _equal((albedo, valid), truth(known.rows[0])):
                known.rows.append(row)
                break
        else:
            sets.append(_Set([row], probe))
    return [known.rows for sets in found.values() for known in sets]


def _probe(albedo: np.ndarray, valid: np.ndarray) -> _Pixels:
    """Pixels [3, n] and [1, n], at the same places in all images of one size."""
    flat = albedo.reshape(3, -1), valid.reshape(1, -1)
    places = np.random.default_rng(0).integers(flat[0].shape[1], size=PROBES)
    return flat[0][:, places], flat[1][:, places]


def _equal(one: _Pixels, other: _Pixels) -> bool:
    if one[0].shape != other[0].shape:
        return False
    both_valid = (one[1] == 1) & (other[1] == 1)
    return bool(both_valid.any()) and not _differ(one, other)


def _differ(one: _Pixels, other: _Pixels) -> bool:
    """Whether a pixel that is valid in both differs; both of one shape."""
    both = (one[1] == 1) & (other[1] == 1)
    return bool((one[0] != other[0])[:, both[0]].any())
