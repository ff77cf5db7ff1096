"""Colour Retinex, the classical method: no learning.

Horn (1974) took small steps of log intensity for shading and large ones for reflectance; Grosse
et al. (2009, "Ground truth dataset and baseline evaluations for intrinsic image algorithms",
sec. 4.2) let a step of chromaticity count as reflectance as well.
"""

import numpy as np
from scipy.fft import dctn, idctn

from albedo_pipeline.imaging.colour import luminance

_FLOOR = 1e-3  # linear light below this is noise; keeps the logarithm finite


def neighbour_steps(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forward differences downwards and rightwards; zero at the far border."""
    down = np.diff(image, axis=0, append=image[-1:])
    right = np.diff(image, axis=1, append=image[:, -1:])
    return down, right


def integrate(down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The image of zero mean whose forward differences come closest, in least squares.

    Solves Poisson's equation with free borders by the discrete cosine transform.
    """
    divergence = np.diff(down, axis=0, prepend=0) + np.diff(right, axis=1, prepend=0)
    height, width = divergence.shape
    eigenvalues = (2 * np.cos(np.pi * np.arange(height) / height) - 2)[:, None] + (
        2 * np.cos(np.pi * np.arange(width) / width) - 2
    )[None, :]
    eigenvalues[0, 0] = 1  # the mean is free
    spectrum = dctn(divergence, norm="ortho") / eigenvalues
    spectrum[0, 0] = 0
    return idctn(spectrum, norm="ortho")


def retinex_reflectance(
    beauty: np.ndarray, intensity_threshold: float, chroma_threshold: float
) -> np.ndarray:
    """Reflectance up to one scale: linear [H, W, 3] => linear [H, W, 3].

    Args:
        beauty: linear Rec.709.
        intensity_threshold: step of log luminance above which it is reflectance.
        chroma_threshold: step of chromaticity (Euclidean, r + g + b = 1) above which it is.
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
