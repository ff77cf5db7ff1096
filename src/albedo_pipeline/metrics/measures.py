"""A number of a protocol: a metric, and what it is taken of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from albedo_pipeline.metrics.base import Metric


@dataclass(frozen=True)
class Measure:
    """A metric of the estimate as it is or aligned, over the valid or over all pixels."""

    metric: Metric
    aligned: bool = False
    masked: bool = True

    @property
    def name(self) -> str:
        """`psnr`, `psnr_aligned`, `psnr_unmasked`, `psnr_aligned_unmasked`."""
        aligned = "_aligned" if self.aligned else ""
        return f"{self.metric.name}{aligned}{'' if self.masked else '_unmasked'}"


Views = Mapping[str, torch.Tensor]
"""One batch of images [B, 3, H, W] in [0, 1], by colour space."""


def measure_all(
    measures: Iterable[Measure], estimate: Views, aligned: Views, truth: Views, valid: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Every measure of a batch, float64 [B], by name.

    Args:
        estimate, aligned, truth: in every colour space that the metrics declare.
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
