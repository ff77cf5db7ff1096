"""Settings of how an albedo is sampled, shared by `evaluate`, `predict` and the validation."""

from typing import Literal

from pydantic import Field

from albedo_pipeline.params.base import Device, Params, Precision


class Sampling(Params):
    """How an albedo is sampled from a model."""

    steps: int | None = Field(None, ge=1)
    """Number of DDIM steps; null: the model's own number, or 4 if it has none."""
    ensemble: int = Field(1, ge=1)
    """Number of predictions, from different noise, that are combined into one. Two or more also
    give an uncertainty."""
    reduction: Literal["mean", "median"] = "mean"
    """How the ensemble is combined. The uncertainty is the standard deviation for `mean`, and the
    median absolute deviation for `median`."""
    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of the noise that sampling starts from."""
    batch_size: int = Field(1, ge=1)
    """Ensemble members, of all images or tiles together, that go through the networks at a time.
    It changes the result by no more than rounding."""


class Inference(Sampling):
    """How an albedo is sampled from a finished model, and on which device."""

    device: Device = "auto"
    """Where the networks run; `auto` takes a GPU if there is one."""
    precision: Precision = "fp32"
    """Number format of the weights and the networks; the state of DDIM is always float32."""
