"""Settings of `evaluate`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from albedo_pipeline.params.base import Params
from albedo_pipeline.params.sampling import Inference


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


class EvaluateParams(Inference):
    """The protocol: everything that a number depends on."""

    protocol: Literal["albedo_pipeline", "marigold-iid"] = "albedo_pipeline"
    """Which metrics, in which colour space, and how masked pixels are treated: the project's own,
    or Marigold's for intrinsic images. The fingerprint covers this and the settings below."""
    lpips_weights: Path | None = None
    """Safetensors file with the weights of LPIPS; null: LPIPS is not measured."""
    splits: tuple[Literal["train", "validation", "test"], ...] = ("test",)
    steps: int = Field(1, ge=1)
    """DDIM steps."""
    batch_size: int = Field(32, ge=1)
    """Members of all samples' ensembles that go through the networks at a time."""
    compile: bool = False
    """`torch.compile` of the networks: minutes at first, then faster."""
    bootstrap: BootstrapParams = BootstrapParams()
    retinex: RetinexParams = RetinexParams()
