"""What the readers of raw pairs share: their declaration, and a pair named by its files."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar, cast, get_args

import numpy as np
from kedro.io import AbstractDataset

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.imaging.colour import ColourSpace
from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference
from albedo_pipeline.readers.roots import Root

Read = TypeVar("Read")
Reference = TypeVar("Reference")
"""What a reader lists: mostly a `RawPairReference`."""

MASK_RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "above_half": lambda mask: mask > 0.5,
    "non_zero": lambda mask: np.abs(mask) > 0,  # NaN is not
    "below_half": lambda mask: mask < 0.5,
}
"""Which channels of a mask speak for a pixel; it is valid where all of them do."""


@dataclass(frozen=True)
class Declaration:
    """What a user tells about the files of a reader."""

    beauty_space: ColourSpace = "linear"
    albedo_space: ColourSpace = "linear"
    mask_rule: str = "above_half"
    max_pixels: int = 128_000_000


def declared(
    colour_space: str | Mapping[str, str], mask_rule: str, max_megapixels: float
) -> Declaration:
    """A reader's arguments, checked.

    Raises:
        ProjectError: naming the key and what it may be.
    """
    images = ("beauty", "albedo")
    if isinstance(colour_space, Mapping):
        if set(colour_space) != set(images):
            keys = ", ".join(map(str, colour_space)) or "nothing"
            raise ProjectError(f"colour_space: expected the keys beauty and albedo, not {keys}")
        beauty, albedo = (checked_space(f"colour_space.{i}", colour_space[i]) for i in images)
    else:
        beauty = albedo = checked_space("colour_space", colour_space)
    if not isinstance(mask_rule, str) or mask_rule not in MASK_RULES:
        raise ProjectError(f"mask_rule: {mask_rule!r} is not one of {', '.join(MASK_RULES)}")
    is_number = isinstance(max_megapixels, int | float) and not isinstance(max_megapixels, bool)
    if not (is_number and 0 < max_megapixels < 1e6):
        raise ProjectError(f"max_megapixels: {max_megapixels!r} is not a number above 0")
    return Declaration(beauty, albedo, mask_rule, int(max_megapixels * 1e6))


def checked_space(key: str, value: object) -> ColourSpace:
    """The value, where it is a colour space; else ProjectError naming the key."""
    if value not in get_args(ColourSpace):
        raise ProjectError(f"{key}: {value!r} is not one of {', '.join(get_args(ColourSpace))}")
    return cast(ColourSpace, value)


class PairReader(AbstractDataset[Any, list[Reference]]):
    """Base of the readers: `load()` lists references, and nothing is saved.

    Args:
        colour_space: `linear` (Rec.709), `srgb` (encoded) or `acescg` (linear AP1); one for both
            images, or `{beauty: …, albedo: …}`.
        mask_rule: a pixel is valid where every channel of the mask is `above_half`, `non_zero` or
            `below_half`; integer masks count from 0 to 1.
        max_megapixels: larger images are set aside before memory is taken.
    """

    def __init__(
        self,
        *,
        filepath: str,
        colour_space: str | dict[str, str] = "linear",
        mask_rule: str = "above_half",
        max_megapixels: float = 128,
        metadata: dict | None = None,
    ) -> None:
        self._path = Path(filepath)
        self._declaration = declared(colour_space, mask_rule, max_megapixels)
        self.metadata = metadata

    def save(self, data: Any) -> None:
        """Refused: the raw data is the user's.

        Raises:
            ProjectError: always.
        """
        raise ProjectError(f"{self._path}: is only read, never written")

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._path), "declaration": self._declaration}


@dataclass(frozen=True)
class PairFiles:
    """A pair named by its files."""

    sample_id: str
    group: str
    root: Root
    beauty: str
    albedo: str
    mask: str | None
    declaration: Declaration

    def reference(self) -> RawPairReference:
        """The reference that reads these files."""
        return RawPairReference(self.sample_id, self.group, self.signature, self.load)

    def signature(self) -> str:
        """State of every file, and the declaration."""
        names = [name for name in (self.beauty, self.albedo, self.mask) if name is not None]
        return signature(self.root, names, self.declaration)

    def load(self) -> RawPair:
        """Read the files.

        Raises:
            BadSampleError: "name: reason" of the first file that cannot be used, or where sizes
                differ.
        """
        from albedo_pipeline.imaging.io.read import read_colour, read_mask

        if posixpath.normpath(self.beauty) == posixpath.normpath(self.albedo):
            raise BadSampleError(f"{self.albedo}: is beauty and albedo at once")
        pixels = self.declaration.max_pixels
        beauty = read_from(self.root, self.beauty, lambda path: read_colour(path, pixels))
        albedo = read_from(self.root, self.albedo, lambda path: read_colour(path, pixels))
        valid = np.ones(beauty.pixels.shape[:2], bool)
        masks = {"beauty": beauty.present, "albedo": albedo.present}
        if self.mask is not None:
            mask = read_from(self.root, self.mask, lambda path: read_mask(path, pixels))
            masks["mask"] = apply_rule(mask, self.declaration.mask_rule)
        return RawPair(
            sample_id=self.sample_id,
            group=self.group,
            beauty=beauty.pixels,
            albedo=albedo.pixels,
            valid=combined(valid, masks),
            beauty_space=self.declaration.beauty_space,
            albedo_space=self.declaration.albedo_space,
            beauty_type=beauty.type,
            albedo_type=albedo.type,
            attributes=beauty.attributes,
        )


def sample_id_of(beauty: str) -> str:
    """The name of a beauty file without suffix and `_beauty`."""
    path = PurePosixPath(posixpath.normpath(beauty))
    return str(path.parent / path.stem).removesuffix("_beauty")


def group_of(name: str, sample_id: str) -> str:
    """The folder of a name, or, in no folder, the sample itself."""
    folder = posixpath.dirname(posixpath.normpath(name))
    return sample_id if folder in ("", "/") else folder


def bad_reference(sample_id: str, group: str, message: str) -> RawPairReference:
    """A sample of which is known beforehand that it cannot be read."""
    return RawPairReference(sample_id, group, partial(str, message), partial(_refuse, message))


def signature(root: Root, names: list[str], *declaration: object) -> str:
    """The root, the state of its files and what else changes a pair, as one line."""
    files = [f"{name}:{root.signature(name)}" for name in names]
    return " ".join([str(root.path), *files, *map(repr, declaration)])


def read_from(root: Root, name: str, read: Callable[[Path], Read]) -> Read:
    """Read a file of a root; reasons tell the name as the user wrote it.

    Args:
        root: where the file lies.
        name: of the file.
        read: raises ValueError with "path: reason" where it fails.

    Raises:
        BadSampleError: "name: reason".
    """
    with root.opened(name) as path:
        try:
            return read(path)
        except ValueError as error:
            reason = str(error).removeprefix(f"{path}: ")
            raise BadSampleError(f"{name}: {reason}") from error


def apply_rule(mask: np.ndarray, rule: str) -> np.ndarray:
    """Mask [H, W, C] => bool [H, W], true where every channel says so."""
    said = MASK_RULES[rule](mask)
    return said[..., 0] if said.shape[-1] == 1 else np.all(said, axis=-1)


def combined(valid: np.ndarray, masks: dict[str, np.ndarray | None]) -> np.ndarray:
    """`valid` of the beauty, bool [H, W], and every mask that there is, by what it belongs to.

    Raises:
        BadSampleError: where a mask has another size.
    """
    for name, mask in masks.items():
        if mask is None:
            continue
        if mask.shape != valid.shape:
            raise BadSampleError(f"{name} is {_size(mask)} but beauty is {_size(valid)}")
        valid = valid & mask
    return valid


def _refuse(message: str) -> RawPair:
    raise BadSampleError(message)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
