"""Settings of `ingest`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Params
from albedo_pipeline.params.compute import LOCAL, ComputeParams
from albedo_pipeline.runtime.storage import location


class ExposureParams(Params):
    """How the exposure of an HDR beauty is chosen; albedo is never exposed."""

    policy: Literal["percentile", "brightest_channel", "hypersim", "fixed", "none"] = "percentile"
    """How the exposure is chosen: from a `percentile` of the luminance or of the
    `brightest_channel`, as in Hypersim's published tone mapping (`hypersim`, see
    `imaging.exposure`), a `fixed` one, or `none`."""
    percentile: float = Field(90.0, gt=0, le=100)
    """Percentile of the brightness that is mapped to `target`, %; only for the policies
    `percentile` and `brightest_channel`."""
    target: float = Field(0.8, gt=0, le=1)
    """sRGB-encoded value that the percentile is mapped to; only for the policies `percentile` and
    `brightest_channel`."""
    stops: float = Field(0.0, ge=-20, le=20)
    """Exposure in photographic stops (a factor of 2 ** stops); only for policy `fixed`."""


class SplitLists(Params):
    """Text files that name the samples or groups of each split, one a line.

    Each is a path or a URL such as `s3://…`. A line may have more names, as in a list of pairs:
    only the first one counts.
    """

    train: str | None = None
    """List of the training split."""
    validation: str | None = None
    """List of the validation split."""
    test: str | None = None
    """List of the test split."""

    @model_validator(mode="after")
    def _name_a_list(self) -> Self:
        if not self.files():
            raise ValueError("name a list for train, validation or test")
        return self

    def files(self) -> dict[str, Path]:
        """The lists that are named, by split."""
        named = {split: getattr(self, split) for split in type(self).model_fields}
        return {split: location(path) for split, path in named.items() if path}


class SplitParams(Params):
    """Which samples are in which split.

    By default a hash of its name puts each group into a split: `validation` and `test` are the
    shares of the groups, and the training split gets the rest. `lists`, or a column `split` in the
    table of the raw pairs, name a published split instead; a sample that is in none is left out.
    The split of a sample does not change when others are added.
    """

    validation: float = Field(0.1, ge=0, lt=1)
    """Share of the groups in the validation split."""
    test: float = Field(0.1, ge=0, lt=1)
    """Share of the groups in the test split."""
    salt: str = Field("", coerce_numbers_to_str=True)
    """Text that is hashed together with a group's name; another text gives another split."""
    lists: SplitLists | None = None
    """Lists of a published split; null: the split is by hash, or by the table's column `split`."""
    by: Literal["sample", "group"] = "sample"
    """What the lists name: each `sample`, by its name or the name of its beauty file, or each
    `group`."""
    shared_groups: tuple[str, ...] = ()
    """Groups that may have samples in two splits of a published split; for others it is an
    error."""

    @model_validator(mode="after")
    def _leave_groups_for_training(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must be less than 1")
        return self


Ratio = Annotated[str, Field(pattern=r"^[1-9]\d*:[1-9]\d*$")]
"""Ratio of width to height, such as 16:9."""


class CropParams(Params):
    """Which crops of an image are stored; each is a sample of its own, of the same group."""

    count: int = Field(1, ge=1, le=64)
    """Number of crops per image: the first is in the centre, the others are spread over it."""
    share: float = Field(1.0, gt=0, le=1)
    """Size of a crop, as a share of the largest crop that fits."""
    max_enlargement: float = Field(2.0, ge=1)
    """Largest factor by which a crop may be enlarged; an image that needs more is quarantined."""


class TargetMaskParams(Params):
    """Which pixels are masked because their target is no albedo; all values are linear Rec.709.

    These are pixels of glass, mirrors, light sources and metal. The readers can also mask them by
    ids of entities or materials.
    """

    max_albedo: float | None = Field(None, gt=0)
    """Value above which a channel of the target is no albedo, such as 1; null: such pixels stay
    valid, and are clipped to 1."""
    black_albedo: float | None = Field(None, ge=0, lt=1)
    """Value up to which a target is black in all channels, such as 0; it is masked if the beauty is
    bright there. null: it stays valid."""
    bright_beauty: float = Field(0.1, gt=0)
    """Brightness of the exposed beauty above which a black target is masked; only with
    `black_albedo`. The brightness is what the policy of the exposure measures."""


class IngestParams(Params):
    """How raw pairs become pairs of the project."""

    resolution: int = Field(ge=16, le=8192)
    """Width and height of square images, pixels; other ratios have about as many pixels."""
    aspect_ratios: Annotated[tuple[Ratio, ...], Field(min_length=1)] = ("1:1",)
    """Aspect ratios of the stored images; an image is cropped to the nearest one."""
    multiple_of: int = Field(8, ge=1, le=256)
    """Number that divides width and height of images that are not square, pixels. It should be a
    multiple of the autoencoder's factor, or better of that factor times the denoiser's."""
    crop: CropParams = CropParams()
    """Which crops of an image are stored."""
    exposure: ExposureParams = ExposureParams()
    """How the exposure of an HDR beauty is chosen."""
    target_mask: TargetMaskParams = TargetMaskParams()
    """Which pixels are masked because their target is no albedo."""
    split: SplitParams = SplitParams()
    """Which samples are in which split."""
    min_valid_share: float = Field(0.05, ge=0, le=1)
    """Smallest share of valid pixels; a pair with less is quarantined."""
    max_quarantined_share: float = Field(0.2, ge=0, le=1)
    """Largest share of quarantined samples; the run stops if there are more."""
    workers: int | None = Field(None, ge=1)
    """Number of threads of a process that read and prepare pairs; null: one per core that the
    process may use."""
    compute: ComputeParams = LOCAL
    """Where the pairs are prepared."""
