"""Settings of how an albedo is sampled, shared by `evaluate`, `predict` and the validation."""

from typing import Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Device, Params, Precision
from albedo_pipeline.params.compute import LOCAL, ComputeParams

Resampling = Literal["predict", "marigold"]
"""See `ProcessingSize.resampling`."""
MOST_AUGMENTATIONS = 8
"""Number of augmentations that an ensemble can use, the unchanged image included."""


class Ensemble(Params):
    """Several predictions of one image that are combined into one."""

    kind: Literal["noise", "augmentation"] = "noise"
    """What differs between the members: `noise`, only the noise that sampling starts from;
    `augmentation` (test-time augmentation), also the image: flipped, shifted by a part of a latent
    cell, or exposed differently. A model that ignores the noise needs `augmentation`."""
    members: int = Field(1, ge=1)
    """Number of predictions of an image; 1 is no ensemble. Two or more also give an uncertainty."""

    @model_validator(mode="after")
    def _augmentations_suffice(self) -> Self:
        if self.kind == "augmentation" and self.members > MOST_AUGMENTATIONS:
            raise ValueError(
                f"kind 'augmentation' has at most {MOST_AUGMENTATIONS} members (got {self.members})"
            )
        return self


class Sampling(Params):
    """How an albedo is sampled from a model."""

    steps: int | None = Field(None, ge=1)
    """Number of DDIM steps; null: the model's own number, or 4 if it has none."""
    ensemble: Ensemble = Ensemble()
    """Predictions of an image that are combined into one."""
    reduction: Literal["mean", "median"] = "mean"
    """How the ensemble is combined. The uncertainty is the standard deviation for `mean`, and the
    median absolute deviation for `median`."""
    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of the noise that sampling starts from."""
    batch_size: int = Field(1, ge=1)
    """Predictions that go through the networks at a time: with `ensemble.kind` `noise` the members
    of all images or tiles together, with `augmentation` one member of several images or tiles. It
    changes the result by no more than rounding."""


class ProcessingSize(Params):
    """At which size images are predicted, if not at their own; they are scored at their own."""

    resolution: int | None = Field(None, ge=8, le=16384)
    """Longer side at which images are predicted, pixels; null: their own size."""
    resampling: Resampling = "predict"
    """How images get to that size and predictions back; only if `resolution` is set. `predict`, as
    `predict.resolution` does: in linear light, by averages over areas, enlarged with the image as
    guide; an image from half the resolution to all of it keeps its size. `marigold`, as Marigold's
    evaluation does: sRGB-encoded values, by an antialiased triangle filter, exactly to that longer
    side, also if the image is smaller."""


class Inference(Sampling):
    """How an albedo is sampled from a finished model, and on which device."""

    device: Device = "auto"
    """Where the networks run; `auto` takes a GPU if there is one."""
    precision: Precision = "fp32"
    """Number format of the weights and the networks; the state of DDIM is always float32."""
    compute: ComputeParams = LOCAL
    """Where the albedo is predicted."""
