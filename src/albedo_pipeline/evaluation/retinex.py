"""Colour Retinex, the classical method without learning.

Horn (1974) attributes small steps of log intensity to shading and large ones to reflectance. Grosse
et al. (2009, "Ground truth dataset and baseline evaluations for intrinsic image algorithms",
sec. 4.2) also attribute steps of chromaticity to reflectance.
"""

import numpy as np
from scipy.fft import dctn, idctn

from albedo_pipeline.imaging.colour import luminance

_FLOOR = 1e-3  # linear values below this are noise; also keeps the logarithm finite


def neighbour_steps(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forward differences downwards and to the right; zero at the last row and column."""
    down = np.diff(image, axis=0, append=image[-1:])
    right = np.diff(image, axis=1, append=image[:, -1:])
    return down, right


def integrate(down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The zero-mean image whose forward differences are the given ones, in least squares.

    Solves Poisson's equation with Neumann boundary conditions by the discrete cosine transform.
    """
    divergence = np.diff(down, axis=0, prepend=0) + np.diff(right, axis=1, prepend=0)
    height, width = divergence.shape
    eigenvalues = (2 * np.cos(np.pi * np.arange(height) / height) - 2)[:, None] + (
        2 * np.cos(np.pi * np.arange(width) / width) - 2
    )[None, :]
    eigenvalues[0, 0] = 1  # avoids 0 / 0; the mean is set to zero below
    spectrum = dctn(divergence, norm="ortho") / eigenvalues
    spectrum[0, 0] = 0
    return idctn(spectrum, norm="ortho")


def retinex_reflectance(
    beauty: np.ndarray, intensity_threshold: float, chroma_threshold: float
) -> np.ndarray:
    """Reflectance up to an unknown scale, linear, [H, W, 3].

    Args:
        beauty: linear Rec.709, [H, W, 3].
        intensity_threshold: step of log luminance above which it is attributed to reflectance.
        chroma_threshold: the same for a step of chromaticity (Euclidean, with r + g + b = 1).
    """
    light = np.maximum(beauty.astype(np.float64), _FLOOR)
    intensity = np.log(luminance(light))
    chroma = light / light.sum(axis=-1, keepdims=True)
    steps = neighbour_steps(intensity)
    chroma_steps = (np.linalg.norm(step, axis=-1) for step in neighbour_steps(chroma))
    shading = [
        np.where((np.abs(step) > intensity_threshold) | (change > chroma_threshold), 0, step)
        for step, change in zip(steps, chroma_steps, strict=True)
    ]
    return light / np.exp(integrate(*shading))[..., None]
