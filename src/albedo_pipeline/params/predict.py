"""Settings of `predict`."""

from typing import Literal

from pydantic import Field

from albedo_pipeline.params.base import Device, Params, Precision
from albedo_pipeline.params.ingest import ExposureParams


class PredictParams(Params):
    """Which images get an albedo, by which model, and how well."""

    input: str | None = Field(None, coerce_numbers_to_str=True)
    """An image, a folder (searched with all that is in it) or a pattern such as `renders/*.exr`."""
    model: str | None = None
    """Exported folder, or Hub id of a Marigold intrinsics model; null: the project's own export."""
    revision: str | None = None
    """Commit of the Hub repository; a number that is quoted needs it."""
    colour_space: Literal["auto", "linear", "srgb", "acescg"] = "auto"
    """What the files' numbers mean; `auto`: floats are linear, integers sRGB-encoded."""
    exposure: ExposureParams = ExposureParams()
    """Of linear and ACEScg images; sRGB-encoded ones are taken as they are."""
    steps: int | None = Field(None, ge=1)
    """DDIM steps; null: the model's own number, or 4."""
    resolution: int | None = Field(None, ge=8, le=8192)
    """Longer side at which a picture as a whole is predicted, pixels; null: what the model is best
    at, or the picture's own."""
    tile: int | None = Field(None, ge=8, le=8192)
    """Side of the tiles that larger pictures are predicted in, pixels; null: as `resolution`."""
    overlap: float = Field(0.25, gt=0, le=0.5)
    """Of neighbouring tiles, at least, as a share of a tile's side."""
    ensemble: int = Field(1, ge=1)
    """Predictions of different noise that are made one; from 2 on there is an uncertainty."""
    reduction: Literal["mean", "median"] = "mean"
    """Of the ensemble; the uncertainty is the standard or the median absolute deviation."""
    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of the noise that sampling starts from."""
    batch_size: int = Field(1, ge=1)
    """Tiles and members of their ensembles that go through the networks at a time; changes the
    result by no more than rounding."""
    max_megapixels: float = Field(128, gt=0, lt=1e6)
    """Larger images are refused before memory is taken."""
    device: Device = "auto"
    precision: Precision = "fp32"
