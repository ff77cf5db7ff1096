"""Settings of `evaluate`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from albedo_pipeline.params.base import OWN_SET, Params
from albedo_pipeline.params.sampling import Inference, ProcessingSize

Split = Literal["train", "validation", "test"]
Checkpoint = Annotated[Literal["last", "best"] | PositiveInt | None, Field(union_mode="smart")]
"""Weights of the training: of the newest checkpoint, of the best one by validation, or of that of a
step; null is what `train` wrote at its end."""


class BootstrapParams(Params):
    """The confidence interval of a mean: a percentile bootstrap over groups."""

    resamples: int = Field(2000, ge=100)
    """Number of resamples of the groups."""
    confidence: float = Field(0.95, gt=0, lt=1)
    """Probability that the interval covers the mean."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of the resamples."""


class RetinexParams(Params):
    """Thresholds of Retinex, the classical method: which image gradients belong to the albedo."""

    intensity_threshold: float = Field(0.3, ge=0)
    """Difference of log-intensity between neighbours above which it is an edge of the albedo."""
    chroma_threshold: float = Field(0.05, ge=0)
    """Difference of chromaticity between neighbours (Euclidean distance of normalised rgb) above
    which it is an edge of the albedo."""


class Measuring(Params):
    """What is measured, on which samples, and with which intervals."""

    protocol: Literal["albedo_pipeline", "marigold-iid"] = "albedo_pipeline"
    """Which metrics are measured, in which colour space, and how masked pixels are treated: the
    project's own way, or Marigold's for intrinsic images. The protocol's fingerprint covers this
    and all other settings that change the scores."""
    lpips_weights: Path | None = None
    """Safetensors file with the weights of LPIPS; null: LPIPS is not measured."""
    metrics: tuple[str, ...] = ()
    """Metrics of yours that are measured too: for each the dotted path of a `Metric`, such as
    `my_metrics.largest_error.LARGEST_ERROR`, in a module that Python finds."""
    splits: tuple[Split, ...] = Field(("test",), min_length=1)
    """Splits that are evaluated."""
    bootstrap: BootstrapParams = BootstrapParams()
    """Confidence intervals of the means."""


class EvaluateParams(Inference, ProcessingSize, Measuring):
    """The evaluation protocol: all settings that the scores depend on."""

    checkpoint: Checkpoint = None
    """Weights that are evaluated: `last`, the newest checkpoint's; `best`, those of the best
    checkpoint by validation; a number, those of that step's checkpoint; null, the weights that
    `train` wrote at its end, which `export` takes."""
    sets: tuple[str, ...] = (OWN_SET,)
    """Sets that are evaluated, each on its own: `pairs`, the project's own pairs, which come first
    because report, model card and export are about them; then names of the catalog's entry
    `more_pairs`."""
    compare_with: tuple[str, ...] = ()
    """Other models that are measured on the same samples: exported folders, Hub ids of Marigold
    intrinsics models, or `bundled`, the estimator that ships with the package. Each takes the
    number of steps that it is made for."""
    steps: int = Field(1, ge=1)
    """Number of DDIM steps."""
    batch_size: int = Field(32, ge=1)
    """Predictions that go through the networks at a time; see `Sampling.batch_size`."""
    compile: bool = False
    """Whether `torch.compile` compiles the networks; this takes minutes, then runs faster."""
    retinex: RetinexParams = RetinexParams()
    """Thresholds of the classical method."""

    @model_validator(mode="after")
    def _own_pairs_come_first(self) -> Self:
        if self.sets[:1] != (OWN_SET,) or len(set(self.sets)) < len(self.sets):
            raise ValueError(
                f"sets: must begin with {OWN_SET}, and name each set once (got "
                f"{', '.join(self.sets) or 'none'})"
            )
        return self
