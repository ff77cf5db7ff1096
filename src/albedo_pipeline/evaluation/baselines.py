"""Baselines: albedo estimates from the beauty image without learning."""

from collections.abc import Callable

import numpy as np

from albedo_pipeline.evaluation.retinex import retinex_reflectance
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb

Baseline = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def scaled_to_truth(linear: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The image s * linear, sRGB-encoded, with the scale s > 0 that is closest to the truth.

    Closest in squared error of sRGB-encoded values over the valid pixels, the error of PSNR. The
    scale is found to 0.1 % on a grid of stops (powers of 2) that is refined twice.

    Args:
        linear: [H, W, 3], linear.
        truth: [H, W, 3], sRGB-encoded, in [0, 1].
        valid: bool [H, W].
    """
    estimate, target = linear[valid], truth[valid]
    stops, width = 0.0, 8.0
    for _ in range(3):
        candidates = stops + np.linspace(-width, width, 65)
        errors = [
            float(np.square(_encoded(estimate * 2.0**stop) - target).mean()) for stop in candidates
        ]
        stops, width = float(candidates[int(np.argmin(errors))]), width / 24
    return _encoded(linear * 2.0**stops)


def _encoded(linear: np.ndarray) -> np.ndarray:
    return encode_srgb(np.clip(linear, 0, 1))


def _beauty(beauty: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> np.ndarray:
    return beauty


def _beauty_best_scale(beauty: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> np.ndarray:
    return scaled_to_truth(decode_srgb(beauty), truth, valid)


BEAUTY: Baseline = _beauty
"""The input, unchanged."""
BEAUTY_BEST_SCALE: Baseline = _beauty_best_scale
"""The input times the factor that fits the truth best."""


def retinex_best_scale(intensity_threshold: float, chroma_threshold: float) -> Baseline:
    """Colour Retinex with these thresholds, times the factor that fits the truth best."""

    def retinex(beauty: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> np.ndarray:
        light = decode_srgb(beauty)
        reflectance = retinex_reflectance(light, intensity_threshold, chroma_threshold)
        return scaled_to_truth(reflectance, truth, valid)

    return retinex


def baselines(intensity_threshold: float, chroma_threshold: float) -> dict[str, Baseline]:
    """The baselines by name; each is (beauty, truth, valid) => estimate.

    Images are sRGB-encoded [H, W, 3]; valid is [H, W]. Only the baselines named `*_best_scale` use
    the truth, to find their scale.
    """
    return {
        "beauty_as_albedo": BEAUTY,
        "beauty_best_scale": BEAUTY_BEST_SCALE,
        "retinex_best_scale": retinex_best_scale(intensity_threshold, chroma_threshold),
    }
