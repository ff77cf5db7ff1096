"""Settings of `predict`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Params
from albedo_pipeline.params.ingest import ExposureParams
from albedo_pipeline.params.sampling import Inference


class OutputParams(Params):
    """The files that are written of each albedo, each with its colour space; null: no such file."""

    exr: Literal["linear", "acescg"] | None = "linear"
    """Colour space of `…_albedo.exr`, half floats: `linear` (Rec.709) or `acescg` (linear AP1)."""
    png: Literal["srgb", "linear"] | None = "srgb"
    """Colour space of `…_albedo.png`; `linear` (Rec.709) needs 16 bits. A PNG cannot say that it is
    ACEScg."""
    png_bits: Literal[8, 16] = 8
    """Bits per channel of `…_albedo.png`."""
    tiff: Literal["srgb", "linear", "acescg"] | None = None
    """Colour space of `…_albedo.tif`, 16 bits per channel."""
    video: Literal["mp4", "gif"] | None = "mp4"
    """Format of `…_side_by_side`, the beauty beside the albedo of a sequence; `mp4` needs the extra
    `video`."""

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        if self.png == "linear" and self.png_bits == 8:
            raise ValueError("png: linear needs png_bits 16, because 8 bits show steps in the dark")
        if not (self.exr or self.png or self.tiff):
            raise ValueError("exr, png and tiff are all null, so nothing would be written")
        return self


class PredictParams(Inference):
    """Which images get an albedo, from which model, and at which resolution."""

    input: str | None = Field(None, coerce_numbers_to_str=True)
    """An image, a folder (with all its subfolders) or a pattern such as `renders/*.exr`. A run of
    `predict` needs it."""
    model: str | None = None
    """Exported folder, Hub id of a Marigold intrinsics model, or `bundled`, the estimator that
    ships with the package; null: the project's own export if there is one, or else `bundled`."""
    revision: str | None = None
    """Commit of the Hub repository; null: the newest one. Set it if results will be published."""
    colour_space: Literal["auto", "linear", "srgb", "acescg"] = "auto"
    """Colour space of the files; `auto` converts by their tags (ICC profiles, chromaticities,
    colour ids), and takes files without one as linear if they hold floats, else as sRGB-encoded."""
    alpha: Literal["mask", "ignore"] = "mask"
    """What alpha means: with `mask`, pixels that are not opaque do not influence the exposure, and
    an image without an opaque pixel is bad; with `ignore`, alpha is not read."""
    exposure: ExposureParams = ExposureParams()
    """Exposure of linear and ACEScg images; sRGB-encoded images are not exposed."""
    output: OutputParams = OutputParams()
    """The files that are written of each albedo."""
    sequence: bool = False
    """Whether the images are frames: numbered files, animations (GIF, WebP) and videos. All frames
    of a shot get one exposure and one noise."""
    frames_per_second: float = Field(24, gt=0, le=240)
    """Frame rate of numbered files, for the video; animations and videos have their own."""
    resolution: int | None = Field(None, ge=8, le=16384)
    """Longer side at which an image is predicted, pixels; null: its own, but at most four times the
    resolution that the model is made for, because larger objects are unlike those it knows."""
    whole_megapixels: float | None = Field(None, gt=0)
    """Size up to which an image is predicted in one pass, megapixels; larger images are predicted
    in tiles. null: what half of the available memory allows, at most 4."""
    tile: int | None = Field(None, ge=8, le=8192)
    """Side of the tiles, pixels; null: as large as `whole_megapixels` allows."""
    overlap: float = Field(0.25, gt=0, le=0.5)
    """Smallest overlap of neighbouring tiles, as a share of a tile's side."""
    max_megapixels: float = Field(128, gt=0, lt=1e6)
    """Size above which an image is refused before it is loaded into memory, megapixels."""
