"""How a measured quantity describes itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import torch

OURS, MARIGOLD_IID = "albedo_pipeline", "marigold-iid"
"""Names of the protocols; see `evaluation.protocols`."""

LAST = 1000
"""Order of a metric that sets none: after those that do."""

MetricFunction = Callable[..., torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number that is measured, and how the report shows it."""

    name: str
    """Key in `metrics.json` and column of `per_sample.parquet`."""
    label: str
    """Name in the report."""
    higher_is_better: bool
    unit: str = ""
    """Unit shown after the number; empty if it has none or the label names it."""
    digits: int = 3
    """Digits shown after the decimal point."""
    main_order: int | None = None
    """Position among the quantities that the report shows first; None: only in the full table."""
    shipped: bool = True
    """Whether a module of the package defines it; the evaluation clears it for others."""


@dataclass(frozen=True, kw_only=True)
class Metric(Quantity):
    """A masked metric of a predicted image against the true one."""

    function: MetricFunction
    """(prediction [B, 3, H, W], truth [B, 3, H, W], valid bool [B, 1, H, W]) => float64 [B].
    Images are in [0, 1]. A sample without a pixel to judge gives NaN. With `load_weights`, the
    weights are one more argument, the first."""
    colour_space: str
    """Colour space of both images: `srgb` (encoded) or `linear`."""
    scale_invariant: bool = False
    """Whether scaling the prediction leaves the score unchanged. Then it is not also measured on
    aligned predictions."""
    protocol: str = OURS
    """Name of the protocol that measures it."""
    order: int = LAST
    """Position among the metrics of its protocol."""
    load_weights: Callable[[Path], Any] | None = None
    """Weights file => weights of the network that the metric needs; None: it needs none."""

    def with_weights(self, weights_file: Path) -> Self:
        """The metric with its network's weights loaded.

        Raises:
            ValueError: if the file cannot be read, or does not hold this network's weights.
        """
        if self.load_weights is None:
            return self
        return self.bound_to(self.load_weights(weights_file))

    def bound_to(self, weights: Any) -> Self:
        """The metric with its network's weights, as `load_weights` returns them."""
        return replace(self, function=partial(self.function, weights), load_weights=None)
