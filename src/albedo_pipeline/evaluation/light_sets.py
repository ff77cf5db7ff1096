"""Sets of samples that show the same surfaces under different lights."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

PROBES = 256
"""Pixels that are compared before all others, scattered at random over the image."""

_Pixels = tuple[np.ndarray, np.ndarray]
"""Albedo [3, ...] and valid mask [1, ...] of some pixels."""

Truth = Callable[[int], _Pixels]
"""Row => (albedo [3, H, W], valid mask [1, H, W]), as stored."""


@dataclass(frozen=True)
class _Set:
    rows: list[int]
    probe: _Pixels


def light_sets(groups: Iterable[tuple[int, str]], truth: Truth) -> list[list[int]]:
    """Sets of rows that show the same surfaces, rows in their given order; most sets have one row.

    Two samples belong to one set if they have the same group, share valid pixels, and have
    bit-identical albedo at every pixel that is valid in both.

    Args:
        groups: row and group of every sample.
    """
    sets_by_group: dict[str, list[_Set]] = {}
    for row, group in groups:
        pixels = truth(row)
        probe = _probe(*pixels)
        sets = sets_by_group.setdefault(group, [])
        for candidate in sets:
            if not _differ(probe, candidate.probe) and _equal(pixels, truth(candidate.rows[0])):
                candidate.rows.append(row)
                break
        else:
            sets.append(_Set([row], probe))
    return [each.rows for sets in sets_by_group.values() for each in sets]


def _probe(albedo: np.ndarray, valid: np.ndarray) -> _Pixels:
    """Pixels [3, n] and [1, n], at the same positions in all images of one size."""
    flat = albedo.reshape(3, -1), valid.reshape(1, -1)
    positions = np.random.default_rng(0).integers(flat[0].shape[1], size=PROBES)
    return flat[0][:, positions], flat[1][:, positions]


def _equal(one: _Pixels, other: _Pixels) -> bool:
    if one[0].shape != other[0].shape:
        return False
    both_valid = (one[1] == 1) & (other[1] == 1)
    return bool(both_valid.any()) and not _differ(one, other)


def _differ(one: _Pixels, other: _Pixels) -> bool:
    """Whether any pixel that is valid in both differs; both have the same shape."""
    both = (one[1] == 1) & (other[1] == 1)
    return bool((one[0] != other[0])[:, both[0]].any())
