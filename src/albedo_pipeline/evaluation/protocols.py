"""Protocols: named sets of measures, so that a number says how it was measured."""

from dataclasses import dataclass
from pathlib import Path

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.metrics.image.angular import ANGULAR
from albedo_pipeline.metrics.image.delta_e import DELTA_E
from albedo_pipeline.metrics.image.lmse import LMSE
from albedo_pipeline.metrics.image.lpips import lpips_metric
from albedo_pipeline.metrics.image.marigold import (
    MARIGOLD_PSNR,
    MARIGOLD_SSIM,
    marigold_lpips_metric,
)
from albedo_pipeline.metrics.image.psnr import PSNR
from albedo_pipeline.metrics.image.rmse import RMSE
from albedo_pipeline.metrics.image.si_mse import SI_MSE, SI_MSE_RGB
from albedo_pipeline.metrics.image.ssim import SSIM
from albedo_pipeline.metrics.measures import Measure

OURS, MARIGOLD_IID = "albedo_pipeline", "marigold-iid"


@dataclass(frozen=True)
class Protocol:
    """What is measured, and in words how."""

    name: str
    measures: tuple[Measure, ...]
    words: dict[str, str]


def protocol(name: str, lpips_weights: Path | None) -> Protocol:
    """The protocol of that name; LPIPS is measured where its weights are given.

    Raises:
        ProjectError: where these cannot be read; names the file.
    """
    try:
        return (_marigold_iid if name == MARIGOLD_IID else _ours)(lpips_weights)
    except ValueError as error:
        raise ProjectError(f"evaluate.lpips_weights: {error}") from error


def _ours(lpips_weights: Path | None) -> Protocol:
    perceptual = (lpips_metric(lpips_weights),) if lpips_weights else ()
    absolute = (PSNR, SSIM, RMSE, DELTA_E, *perceptual)
    blind_to_scale = (SI_MSE, SI_MSE_RGB, LMSE, ANGULAR)
    measures = [
        Measure(metric, aligned, masked)
        for masked in (True, False)
        for aligned in (False, True)
        for metric in (absolute if aligned else (*absolute, *blind_to_scale))
    ]
    return Protocol(OURS, tuple(measures), _OUR_WORDS)


def _marigold_iid(lpips_weights: Path | None) -> Protocol:
    perceptual = (marigold_lpips_metric(lpips_weights),) if lpips_weights else ()
    metrics = (MARIGOLD_PSNR, MARIGOLD_SSIM, *perceptual)
    measures = [Measure(metric, masked=masked) for masked in (True, False) for metric in metrics]
    return Protocol(MARIGOLD_IID, tuple(measures), _MARIGOLD_WORDS)


_OUR_WORDS = {
    "colour_space": "sRGB (IEC 61966-2-1) or linear Rec.709, as each metric says; 16 bits",
    "mask": "valid pixels only, masked ones enter no sum and no window; *_unmasked: all pixels",
    "alignment": "none; *_aligned: times the one factor a sample that fits the truth best in "
    "linear light (least squares over the valid pixels), clipped to [0, 1]; *_best_scale: one "
    "factor a sample that fits the sRGB-encoded truth best",
}
_MARIGOLD_WORDS = {
    "source": "Ke et al. 2025, script/iid/eval.py of github.com/prs-eth/Marigold",
    "colour_space": "linear Rec.709 to the power 1 / 2.2; 16 bits",
    "mask": "PSNR: valid pixels only; SSIM and LPIPS: masked pixels are black in both images, as "
    "for Hypersim; *_unmasked: all pixels, as for InteriorVerse",
    "alignment": "none",
}
