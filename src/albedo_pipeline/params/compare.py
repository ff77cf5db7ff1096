"""Settings of `compare`."""

from typing import Any, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import BUNDLED, Device, Precision
from albedo_pipeline.params.evaluate import Measuring

DEFAULT: dict[str, dict[str, Any]] = {
    "ours": {"type": "checkpoint"},
    "bundled": {"type": "marigold", "model": BUNDLED},
    "beauty": {"type": "beauty"},
    "grey": {"type": "constant"},
}
"""Estimators that are compared if the settings name none. They are not in `conf/base`, because an
environment's list would be added to that one."""


class CompareParams(Measuring):
    """Which estimators are scored side by side, and how they are measured."""

    estimators: dict[str, dict[str, Any]] = Field(DEFAULT, min_length=2)
    """Settings of each estimator, by a name of your choice. `type` is the name of a file in
    `evaluation/estimators`, or the dotted path of a module of yours; the other keys are the
    settings of that type."""
    reference: str | None = None
    """Name of the estimator that the others are compared with; null: the first one."""
    device: Device = "auto"
    """Where the networks run; `auto` takes a GPU if there is one."""
    precision: Precision = "fp32"
    """Number format of the weights and the networks."""
    batch_size: int = Field(16, ge=1)
    """Samples that are predicted together."""
    gallery: int = Field(6, ge=3, le=60)
    """Number of samples that the report shows, spread evenly from the best to the worst by the
    reference's PSNR."""
    data_set: str | None = None
    """Name of the data set in `evaluation/published.yml`, if yours is that one; null: it is not."""
    published_split: str | None = None
    """Name of the evaluated split in `evaluation/published.yml`; null: it is none of these."""

    @model_validator(mode="after")
    def _reference_is_known(self) -> Self:
        if self.reference is not None and self.reference not in self.estimators:
            known = ", ".join(self.estimators)
            raise ValueError(f"reference: no estimator {self.reference!r}; choose one of {known}")
        return self
