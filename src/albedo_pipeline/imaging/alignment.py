"""Whether beauty and albedo show the same thing at the same place."""

import numpy as np

REACH = 0.1
"""Largest shift that is looked for, as a share of the shorter side."""
GAIN = 0.15
"""By how much the correlation must rise for a shift to be believed."""


def estimated_shift(beauty: np.ndarray, albedo: np.ndarray, usable: np.ndarray) -> tuple[int, int]:
    """How far (across, down) the albedo's edges lie from the beauty's, pixels.

    The edges' strengths are compared by normalised cross-correlation; (0, 0) where no shift does
    clearly better than none, as in a picture without edges.

    Args:
        beauty, albedo: linear, [H, W].
        usable: bool [H, W].
    """
    edges = [_edges(image, usable) for image in (beauty, albedo)]
    norm = np.sqrt(np.square(edges[0]).sum() * np.square(edges[1]).sum())
    if norm == 0:
        return 0, 0
    shape = [2 * n for n in beauty.shape]
    spectra = [np.fft.rfft2(edge, shape) for edge in edges]
    correlation = np.fft.irfft2(spectra[1] * spectra[0].conj(), shape) / norm
    reach = max(1, int(REACH * min(beauty.shape)))
    window = np.roll(correlation, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    down, across = np.unravel_index(int(window.argmax()), window.shape)
    if window[down, across] - window[reach, reach] < GAIN:
        return 0, 0
    return int(across) - reach, int(down) - reach


def _edges(image: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Strength of the logarithm's steps, less its mean; 0 beside what is not usable."""
    log = np.log(np.maximum(image, 1e-3))
    strength = np.zeros_like(log)
    strength[:-1, :-1] = np.hypot(np.diff(log, axis=0)[:, :-1], np.diff(log, axis=1)[:-1])
    known = usable.copy()
    known[:-1] &= usable[1:]
    known[:, :-1] &= usable[:, 1:]
    known[-1] = known[:, -1] = False
    if not known.any():
        return np.zeros_like(log)
    return np.where(known, np.minimum(strength, 2.0) - np.minimum(strength, 2.0)[known].mean(), 0)
