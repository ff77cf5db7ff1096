"""Settings of `evaluate`."""

from typing import Literal

from pydantic import Field

from albedo_pipeline.params.base import Device, Params, Precision


class BootstrapParams(Params):
    """The interval of a mean: percentile bootstrap over groups."""

    resamples: int = Field(2000, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1)
    seed: int = Field(0, ge=0, lt=2**63)


class RetinexParams(Params):
    """The classical method: which gradients of the image are reflectance."""

    intensity_threshold: float = Field(0.3, ge=0)
    """Log-intensity step between neighbours above which it is an edge of reflectance."""
    chroma_threshold: float = Field(0.05, ge=0)
    """Chromaticity step (Euclidean, in normalised rgb) above which it is one."""


class EvaluateParams(Params):
    """The protocol: everything that a number depends on."""

    protocol: str = "albedo_pipeline"
    """Name of the protocol; its fingerprint covers the settings."""
    splits: tuple[Literal["train", "validation", "test"], ...] = ("test",)
    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of the noise that sampling starts from."""
    steps: int = Field(1, ge=1)
    """DDIM steps."""
    ensemble: int = Field(1, ge=1)
    """Predictions of different noise whose mean is taken."""
    batch_size: int = Field(32, ge=1)
    bootstrap: BootstrapParams = BootstrapParams()
    retinex: RetinexParams = RetinexParams()
    device: Device = "auto"
    precision: Precision = "fp32"
