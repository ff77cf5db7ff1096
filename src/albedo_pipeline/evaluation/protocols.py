"""Protocols: named sets of measures, so that a number says how it was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.own_metrics import OwnMetric
from albedo_pipeline.metrics.base import MARIGOLD_IID, OURS, Metric
from albedo_pipeline.metrics.measures import Measure
from albedo_pipeline.metrics.registry import image_metrics


@dataclass(frozen=True)
class Protocol:
    """What is measured, and a description of how."""

    name: str
    measures: tuple[Measure, ...]
    description: dict[str, object]


def protocol(name: str, lpips_weights: Path | None, own: Sequence[OwnMetric] = ()) -> Protocol:
    """The protocol of that name.

    Its measures are all metrics that declare it. Metrics that need weights are measured only if
    there is a file of them. The project's own protocol also measures aligned predictions.

    Args:
        own: metrics of the user's, which are measured after those of the protocol.

    Raises:
        ProjectError: if the weights cannot be read.
    """
    metrics = _with_weights(image_metrics(name), lpips_weights)
    metrics += [one.metric for one in own]
    measures = [
        Measure(metric, aligned, masked)
        for masked in (True, False)
        for aligned in ((False, True) if name == OURS else (False,))
        for metric in metrics
        if not (aligned and metric.scale_invariant)
    ]
    added = {"own_metrics": {one.metric.name: one.description for one in own}} if own else {}
    return Protocol(name, tuple(measures), _DESCRIPTIONS[name] | added)


def _with_weights(metrics: list[Metric], weights_file: Path | None) -> list[Metric]:
    if weights_file is None:
        return [metric for metric in metrics if metric.load_weights is None]
    try:
        return [metric.with_weights(weights_file) for metric in metrics]
    except ValueError as error:
        raise ProjectError(f"evaluate.lpips_weights: {error}") from error


# These texts are part of the protocol's fingerprint.
_DESCRIPTIONS: dict[str, dict[str, object]] = {
    OURS: {
        "colour_space": "sRGB (IEC 61966-2-1) or linear Rec.709, as each metric says; 16 bits",
        "mask": "valid pixels only, masked ones enter no sum and no window; *_unmasked: all pixels",
        "alignment": "none; *_aligned: times the one factor a sample that fits the truth best in "
        "linear light (least squares over the valid pixels), clipped to [0, 1]; *_best_scale: one "
        "factor a sample that fits the sRGB-encoded truth best",
    },
    MARIGOLD_IID: {
        "source": "Ke et al. 2025, script/iid/eval.py of github.com/prs-eth/Marigold",
        "colour_space": "linear Rec.709 to the power 1 / 2.2; 16 bits",
        "mask": "PSNR: valid pixels only; SSIM and LPIPS: masked pixels are black in both images, "
        "as for Hypersim; *_unmasked: all pixels, as for InteriorVerse",
        "alignment": "none",
    },
}
