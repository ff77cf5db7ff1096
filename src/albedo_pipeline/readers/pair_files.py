"""What the readers of raw pairs share: their options, and a pair that is named by its files."""

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast, get_args

import numpy as np
from kedro.io import AbstractDataset

from albedo_pipeline.errors import BadSampleError, ProjectError, one_line
from albedo_pipeline.imaging.declarations import AlphaRule, DeclaredSpace, ReadOptions
from albedo_pipeline.readers.masked_ids import mask_ids
from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference
from albedo_pipeline.readers.roots import Root
from albedo_pipeline.runtime.storage import location, opened

Read = TypeVar("Read")
"""What a function that reads a file returns."""
Reference = TypeVar("Reference")
"""What a reader lists: a `RawPairReference`, or a `Photo`."""

MASK_RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "above_half": lambda mask: mask > 0.5,
    "non_zero": lambda mask: np.abs(mask) > 0,  # false for NaN
    "below_half": lambda mask: mask < 0.5,
}
"""Which values of a mask mean valid; a pixel is valid if all its channels do."""


@dataclass(frozen=True)
class ReaderOptions:
    """The options that all readers of raw pairs have, checked."""

    beauty_space: DeclaredSpace = "linear"
    albedo_space: DeclaredSpace = "linear"
    mask_rule: str = "above_half"
    """A key of `MASK_RULES`."""
    max_pixels: int = 128_000_000
    """Largest number of pixels of an image."""
    beauty_alpha: AlphaRule = "mask"
    albedo_alpha: AlphaRule = "mask"
    grey_beauty: bool = False
    """Whether a beauty may be grey."""
    masked_ids: tuple[int, ...] = ()
    """Ids of entities or materials whose target is no albedo."""

    @property
    def beauty(self) -> ReadOptions:
        """How a beauty is read."""
        return ReadOptions(self.beauty_space, self.beauty_alpha, self.grey_beauty)

    @property
    def albedo(self) -> ReadOptions:
        """How an albedo is read."""
        return ReadOptions(self.albedo_space, self.albedo_alpha)


def check_options(
    colour_space: str | Mapping[str, str],
    mask_rule: str,
    max_megapixels: float,
    alpha: str | Mapping[str, str] = "mask",
    grey_beauty: bool = False,
) -> ReaderOptions:
    """Check the arguments of a reader.

    Raises:
        ProjectError: if one is wrong; the message names the key and what is allowed.
    """
    spaces = _of_both("colour_space", colour_space, get_args(DeclaredSpace))
    alphas = _of_both("alpha", alpha, get_args(AlphaRule))
    if not isinstance(mask_rule, str) or mask_rule not in MASK_RULES:
        raise ProjectError(f"mask_rule: {mask_rule!r} is not one of {', '.join(MASK_RULES)}")
    is_number = isinstance(max_megapixels, int | float) and not isinstance(max_megapixels, bool)
    if not (is_number and 0 < max_megapixels < 1e6):
        raise ProjectError(f"max_megapixels: {max_megapixels!r} is not a number above 0")
    if not isinstance(grey_beauty, bool):
        raise ProjectError(f"grey_beauty: {grey_beauty!r} is not true or false")
    return ReaderOptions(
        *cast(tuple[DeclaredSpace, DeclaredSpace], spaces),
        mask_rule,
        int(max_megapixels * 1e6),
        *cast(tuple[AlphaRule, AlphaRule], alphas),
        grey_beauty,
    )


def check_colour_space(key: str, value: object) -> DeclaredSpace:
    """Return the value if it is a colour space, or `auto`.

    Raises:
        ProjectError: if it is not a colour space; the message names the key.
    """
    return cast(DeclaredSpace, _one_of(key, value, get_args(DeclaredSpace)))


def _of_both(key: str, given: object, allowed: tuple[str, ...]) -> tuple[str, str]:
    """The values for beauty and albedo of an option that is one value for both, or a mapping."""
    if not isinstance(given, Mapping):
        value = _one_of(key, given, allowed)
        return value, value
    images = ("beauty", "albedo")
    if set(given) != set(images):
        keys = ", ".join(map(str, given)) or "nothing"
        raise ProjectError(f"{key}: expected the keys beauty and albedo, not {keys}")
    beauty, albedo = (_one_of(f"{key}.{image}", given[image], allowed) for image in images)
    return beauty, albedo


def _one_of(key: str, value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ProjectError(f"{key}: {value!r} is not one of {', '.join(allowed)}")
    return str(value)


class PairReader(AbstractDataset[Any, Sequence[Reference]]):
    """Base class of the readers: `load()` lists references, and nothing can be saved.

    Args:
        filepath: a path, `file://…`, or a URL of object storage such as `s3://…`.
        colour_space: `linear` (Rec.709), `srgb` (encoded), `acescg` (linear AP1), or `auto`: what
            the files' tags say, or without one, linear for floats and sRGB for integers. One for
            both images, or `{beauty: …, albedo: …}`.
        mask_rule: which values of a mask mean valid: `above_half`, `non_zero` or `below_half`. A
            pixel is valid if all its channels do; integer masks are scaled to [0, 1].
        max_megapixels: larger images are quarantined before memory is allocated for them.
        alpha: `mask` masks pixels that are not opaque; `ignore` is for alpha that is no coverage.
            One for both images, or `{beauty: …, albedo: …}`.
        grey_beauty: whether a beauty may be grey; it becomes equal red, green and blue.
    """

    def __init__(
        self,
        *,
        filepath: str,
        colour_space: str | dict[str, str] = "linear",
        mask_rule: str = "above_half",
        max_megapixels: float = 128,
        alpha: str | dict[str, str] = "mask",
        grey_beauty: bool = False,
        metadata: dict | None = None,
    ) -> None:
        self._path = location(filepath)
        self._options = check_options(colour_space, mask_rule, max_megapixels, alpha, grey_beauty)
        self.metadata = metadata

    def save(self, data: Any) -> None:
        """Refuse to write, because the raw data belongs to the user.

        Raises:
            ProjectError: always.
        """
        raise ProjectError(f"{self._path}: raw data is read-only, so nothing can be saved here")

    def _opened(self, missing: str = "no such file") -> BinaryIO:
        """The opened file at `filepath`, for readers of lists and tables.

        Raises:
            ProjectError: if there is no file, which `missing` says, or it cannot be read.
        """
        try:
            return opened(self._path)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ProjectError(f"{self._path}: {missing}") from error
        except OSError as error:
            raise ProjectError(f"{self._path}: cannot be read ({one_line(error)})") from error

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._path), "options": self._options}


@dataclass(frozen=True)
class PairFiles:
    """A pair that is named by its files."""

    sample_id: str
    group: str
    root: Root
    """The folder or `.tar` that holds the files."""
    beauty: str
    """Name of the beauty file in the root."""
    albedo: str
    """Name of the albedo file in the root."""
    mask: str | None
    """Name of the mask file in the root, if there is one."""
    options: ReaderOptions
    ids: str | None = None
    """Name of the file with the ids in the root, if `options.masked_ids` is used."""

    def reference(self) -> RawPairReference:
        """Make the reference that reads these files."""
        return RawPairReference(
            self.sample_id, self.group, self.signature, self.load, beauty=self.beauty
        )

    def signature(self) -> str:
        """State of every file, and the options."""
        names = (self.beauty, self.albedo, self.mask, self.ids)
        return signature(self.root, [name for name in names if name], self.options)

    def load(self) -> RawPair:
        """Read the files.

        Raises:
            BadSampleError: "name: reason" of the first file that cannot be used, or if sizes
                differ.
        """
        from albedo_pipeline.imaging.io.ids import read_ids
        from albedo_pipeline.imaging.io.read import read_colour, read_mask

        if posixpath.normpath(self.beauty) == posixpath.normpath(self.albedo):
            raise BadSampleError(f"{self.albedo}: is named as both beauty and albedo")
        limit = self.options.max_pixels
        beauty, albedo = (
            read_from(self.root, name, partial(read_colour, max_pixels=limit, options=options))
            for name, options in (
                (self.beauty, self.options.beauty),
                (self.albedo, self.options.albedo),
            )
        )
        valid = np.ones(beauty.pixels.shape[:2], bool)
        masks = {"beauty": beauty.present, "albedo": albedo.present}
        if self.mask is not None:
            mask = read_from(self.root, self.mask, lambda path: read_mask(path, limit))
            masks["mask"] = apply_mask_rule(mask, self.options.mask_rule)
        valid, masked_id_share = combine_masks(valid, masks), 0.0
        if self.ids is not None:
            ids = read_from(self.root, self.ids, lambda path: read_ids(path, limit))
            valid, masked_id_share = mask_ids(valid, ids, self.options.masked_ids)
        return RawPair(
            sample_id=self.sample_id,
            group=self.group,
            beauty=beauty.pixels,
            albedo=albedo.pixels,
            valid=valid,
            beauty_space=beauty.space,
            albedo_space=albedo.space,
            beauty_type=beauty.type,
            albedo_type=albedo.type,
            attributes=beauty.attributes,
            beauty_notes=beauty.notes,
            albedo_notes=albedo.notes,
            masked_id_share=masked_id_share,
        )


def sample_id_of(beauty: str) -> str:
    """The name of a beauty file without its suffix and without `_beauty`."""
    folder, name = posixpath.split(posixpath.normpath(beauty))  # faster than a path's `stem`
    dot = name.rfind(".")
    stem = name[:dot] if 0 < dot < len(name) - 1 else name
    whole = posixpath.join(folder, stem) if stem != "." else folder or "."
    return whole.removesuffix("_beauty")


def group_of(name: str, sample_id: str) -> str:
    """The folder of a file, or the sample's own id if the file is in no folder."""
    folder = posixpath.dirname(posixpath.normpath(name))
    return sample_id if folder in ("", "/") else folder


def bad_reference(sample_id: str, group: str, message: str) -> RawPairReference:
    """A reference to a sample that cannot be read; loading it raises BadSampleError.

    Args:
        sample_id: name of the sample.
        group: group of the sample.
        message: the reason that goes into the quarantine, "name: reason".
    """
    raise_error = partial(_raise_bad_sample, message)
    return RawPairReference(sample_id, group, partial(str, message), raise_error)


def signature(root: Root, names: list[str], *options: object) -> str:
    """One line with the root, the state of its files and all options that a pair depends on."""
    files = [f"{name}:{root.signature(name)}" for name in names]
    return " ".join([str(root.path), *files, *map(repr, options)])


def read_from(root: Root, name: str, read: Callable[[Path], Read]) -> Read:
    """Read a file of a root; errors name it as the user wrote it.

    Args:
        root: holds the file.
        name: of the file in the root.
        read: reads the file at a path; raises ValueError with "path: reason" if that fails.

    Raises:
        BadSampleError: "name: reason", if the file cannot be read.
    """
    with root.opened(name) as path:
        try:
            return read(path)
        except ValueError as error:
            reason = str(error).removeprefix(f"{path}: ")
            raise BadSampleError(f"{name}: {reason}") from error


def apply_mask_rule(mask: np.ndarray, rule: str) -> np.ndarray:
    """Mask [H, W, C] => bool [H, W]: whether all channels mean valid by a rule of `MASK_RULES`."""
    valid = MASK_RULES[rule](mask)
    return valid[..., 0] if valid.shape[-1] == 1 else np.all(valid, axis=-1)


def combine_masks(valid: np.ndarray, masks: dict[str, np.ndarray | None]) -> np.ndarray:
    """Combine masks by "and".

    Args:
        valid: bool [H, W], of the beauty's size.
        masks: bool [H, W] or None, by the image that they belong to.

    Raises:
        BadSampleError: if a mask has another size; the message names its image.
    """
    for name, mask in masks.items():
        if mask is None:
            continue
        if mask.shape != valid.shape:
            raise BadSampleError(f"{name} is {_size(mask)} but beauty is {_size(valid)}")
        valid = valid & mask
    return valid


def _raise_bad_sample(message: str) -> RawPair:
    raise BadSampleError(message)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
