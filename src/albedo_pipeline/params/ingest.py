"""Settings of `ingest`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Params


class ExposureParams(Params):
    """How an HDR beauty image gets its one exposure; albedo is never exposed."""

    policy: Literal["percentile", "hypersim", "fixed", "none"] = "percentile"
    """`hypersim`: the anchor of that data set's published tone mapping; see `imaging.exposure`."""
    percentile: float = Field(90.0, gt=0, le=100)
    """`percentile`: which percentile of the luminance is anchored, %."""
    target: float = Field(0.8, gt=0, le=1)
    """`percentile`: the sRGB-encoded value that it is put at."""
    stops: float = Field(0.0, ge=-20, le=20)
    """`fixed`: the exposure, in photographic stops (factor 2 ** stops)."""


class SplitParams(Params):
    """Shares of the groups; the rest is for training. A group's split never changes."""

    validation: float = Field(0.1, ge=0, lt=1)
    test: float = Field(0.1, ge=0, lt=1)
    salt: str = Field("", coerce_numbers_to_str=True)
    """Another salt gives another split."""

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must be less than 1")
        return self


Ratio = Annotated[str, Field(pattern=r"^[1-9]\d*:[1-9]\d*$")]
"""Width to height, such as 16:9."""


class CropParams(Params):
    """Which parts of a picture are stored; each is a sample of its own, of the same group."""

    count: int = Field(1, ge=1, le=64)
    """Crops of a picture: the first in the middle, the others spread over it."""
    share: float = Field(1.0, gt=0, le=1)
    """Size of a crop, as a share of the largest that fits."""
    max_enlargement: float = Field(2.0, ge=1)
    """A picture whose crop would be enlarged more than this is quarantined."""


class IngestParams(Params):
    """How raw pairs become project images."""

    resolution: int = Field(ge=16, le=8192)
    """Width and height of square images, pixels; other ratios have about as many pixels."""
    aspect_ratios: Annotated[tuple[Ratio, ...], Field(min_length=1)] = ("1:1",)
    """Ratios that are stored; a picture is cropped to the nearest one."""
    multiple_of: int = Field(8, ge=1, le=256)
    """Width and height of images that are not square are multiples of this, pixels: of the
    autoencoder's factor, and better of that times the denoiser's."""
    crop: CropParams = CropParams()
    exposure: ExposureParams = ExposureParams()
    split: SplitParams = SplitParams()
    min_valid_share: float = Field(0.05, ge=0, le=1)
    """A pair with a smaller share of valid pixels is quarantined."""
    max_quarantined_share: float = Field(0.2, ge=0, le=1)
    """The run stops when more of the samples than this are quarantined."""
    workers: int | None = Field(None, ge=1)
    """Reading threads; null takes one a core."""
