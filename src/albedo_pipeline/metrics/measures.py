"""Measures of a protocol: a metric, and which predictions and pixels it is computed from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from albedo_pipeline.metrics.base import Metric


@dataclass(frozen=True)
class Measure:
    """A metric of the estimate, as predicted or aligned, over the valid or over all pixels."""

    metric: Metric
    aligned: bool = False
    masked: bool = True

    @property
    def name(self) -> str:
        """`psnr`, `psnr_aligned`, `psnr_unmasked`, `psnr_aligned_unmasked`."""
        aligned = "_aligned" if self.aligned else ""
        return f"{self.metric.name}{aligned}{'' if self.masked else '_unmasked'}"


Views = Mapping[str, torch.Tensor]
"""The same batch of images [B, 3, H, W] in [0, 1] by colour space, `srgb` and `linear`."""


def measure_all(
    measures: Iterable[Measure], estimate: Views, aligned: Views, truth: Views, valid: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Every measure of a batch by name, each float64 [B].

    Args:
        estimate, aligned, truth: the images in every colour space that the metrics declare.
        valid: bool [B, 1, H, W].
    """
    everywhere = torch.ones_like(valid)
    return {
        measure.name: measure.metric.function(
            (aligned if measure.aligned else estimate)[measure.metric.colour_space],
            truth[measure.metric.colour_space],
            valid if measure.masked else everywhere,
        )
        for measure in measures
    }
