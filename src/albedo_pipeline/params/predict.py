"""Settings of `predict`."""

from typing import Literal

from pydantic import Field

from albedo_pipeline.params.ingest import ExposureParams
from albedo_pipeline.params.sampling import Inference


class PredictParams(Inference):
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
    resolution: int | None = Field(None, ge=8, le=8192)
    """Longer side at which a picture as a whole is predicted, pixels; null: what the model is best
    at, or the picture's own."""
    tile: int | None = Field(None, ge=8, le=8192)
    """Side of the tiles that larger pictures are predicted in, pixels; null: as `resolution`."""
    overlap: float = Field(0.25, gt=0, le=0.5)
    """Of neighbouring tiles, at least, as a share of a tile's side."""
    max_megapixels: float = Field(128, gt=0, lt=1e6)
    """Larger images are refused before memory is taken."""
