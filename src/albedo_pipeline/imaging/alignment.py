"""Whether beauty and albedo show the same content at the same place."""

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

MAX_SHIFT_SHARE = 0.1
"""Largest shift that is searched, as a share of the shorter side."""
MIN_GAIN = 0.15
"""How much higher the correlation must be at a shift than at no shift."""


def estimated_shift(beauty: np.ndarray, albedo: np.ndarray, usable: np.ndarray) -> tuple[int, int]:
    """How far (across, down) the albedo's edges are shifted from the beauty's, pixels.

    The shift is the d that maximises the normalised cross-correlation of the edge strengths b of
    the beauty and a of the albedo, computed by the convolution theorem:

        c(d) = Σₓ b(x) a(x + d) / √(Σ b² Σ a²),   c = F⁻¹[ conj(F b) F a ] / √(Σ b² Σ a²)

    It is (0, 0) if no shift correlates clearly better than none, as in an image without edges.

    Args:
        beauty: linear, [H, W].
        albedo: linear, [H, W].
        usable: bool [H, W], the pixels to compare.
    """
    edges = [_edges(image, usable) for image in (beauty, albedo)]
    norm = np.sqrt(np.square(edges[0]).sum() * np.square(edges[1]).sum())
    if norm == 0:
        return 0, 0
    reach = max(1, int(MAX_SHIFT_SHARE * min(beauty.shape)))
    # Zero padding, so that edges that are shifted by up to `reach` do not wrap around.
    shape = [next_fast_len(n + reach, real=True) for n in beauty.shape]
    spectra = [rfft2(edge, shape) for edge in edges]
    correlation = irfft2(spectra[1] * spectra[0].conj(), shape) / norm
    window = np.roll(correlation, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    down, across = np.unravel_index(int(window.argmax()), window.shape)
    if window[down, across] - window[reach, reach] < MIN_GAIN:
        return 0, 0
    return int(across) - reach, int(down) - reach


def _edges(image: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Magnitude of the gradient of the logarithm, minus its mean; 0 next to unusable pixels."""
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
