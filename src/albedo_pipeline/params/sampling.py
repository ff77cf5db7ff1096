"""Settings of how an albedo is sampled, shared by `evaluate`, `predict` and the validation."""

from typing import Literal

from pydantic import Field

from albedo_pipeline.params.base import Device, Params, Precision


class Sampling(Params):
    """How an albedo is sampled from a model."""

    steps: int | None = Field(None, ge=1)
    """DDIM steps; null: the model's own number, or 4 if it has none."""
    ensemble: int = Field(1, ge=1)
    """Predictions from different noise that are combined to one; two or more also give an
    uncertainty."""
    reduction: Literal["mean", "median"] = "mean"
    """How the ensemble is combined. The uncertainty is the standard deviation with `mean`, and the
    median absolute deviation with `median`."""
    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of the noise that sampling starts from."""
    batch_size: int = Field(1, ge=1)
    """Ensemble members (of all images or tiles) that go through the networks at a time; changes the
    result by no more than rounding."""


class Inference(Sampling):
    """Sampling with a finished model, and where it runs."""

    device: Device = "auto"
    precision: Precision = "fp32"
    """Precision of the weights and the networks; DDIM's own state is float32."""
