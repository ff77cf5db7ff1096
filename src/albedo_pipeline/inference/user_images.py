"""The user's own images: finding them, and reading their beauty for the model."""

import glob
import logging
import os
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

import numpy as np

from albedo_pipeline.artifacts.user_predictions import UserImage
from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.declarations import ReadOptions
from albedo_pipeline.imaging.exposure import brightness_of, exposure_factor
from albedo_pipeline.imaging.image import Image, linear_rows
from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.imaging.pixel_checks import check_pixels
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.imaging.resize import strips
from albedo_pipeline.params import PredictParams
from albedo_pipeline.runtime.companions import EXAMPLES, is_companion, without_companions
from albedo_pipeline.runtime.plain_files import check_plain_file, is_folder

logger = logging.getLogger(__name__)

_NAMES = (
    "exr sxr hdr rgbe pic tif tiff png jpg jpeg jpe jfif bmp dib tga tpic dpx cin webp jp2 j2k j2c "
    "jxl ppm pnm pfm gif psd psb sgi rgb rgba iff rla dds heic heif "
    "hif avif npy"
)
SUFFIXES = {f".{name}" for name in _NAMES.split()}
"""Suffixes of images: formats that OpenImageIO opens (HEIC and AVIF in some builds), and arrays."""


@dataclass(frozen=True)
class Found:
    """The files that `predict.input` names."""

    images: list[UserImage]
    """The images, ordered by name."""
    others: int
    """Number of other files: hidden ones, and those without the suffix of an image."""
    companions: int
    """Number of companion files and folders beside them; see `runtime.companions`."""


@dataclass(frozen=True)
class Beauty:
    """An image for the model, and facts about it."""

    stored: np.ndarray
    """Exposed pixels, uint16 [H, W, 3], sRGB-encoded."""
    record: dict[str, float | int | str]
    """Size, type, colour space and its source, exposure, and shares of special pixels."""


def find_images(location: str) -> Found:
    """Images in a folder and its subfolders (but not behind links), or matching a pattern, or one.

    A single file is used whatever its suffix and name. Companion files, such as `._name.png`, are
    passed over. What cannot be read, such as a link that leads
    nowhere or a subfolder that may not be listed, counts as an image, so that it is named.

    Raises:
        ProjectError: if there is no image, or the single one is no file; names `predict.input`.
    """
    try:
        base, paths, companions = _files(Path(location).expanduser())
        images = paths if paths == [Path(location).expanduser()] else [*filter(_is_image, paths)]
        if not images:
            raise ValueError(_no_image(len(paths), companions))
    except (ValueError, RuntimeError) as error:
        raise ProjectError(f"predict.input: {location}: {error}") from error
    if companions:
        logger.info("predict.input: passed over %d companion file(s) (%s)", companions, EXAMPLES)
    names = [path.relative_to(base).as_posix() for path in images]
    found = [
        UserImage(name, path, output)
        for name, path, output in zip(names, images, output_names(names), strict=True)
    ]
    return Found(found, len(paths) - len(images), companions)


def _no_image(others: int, companions: int) -> str:
    if companions:
        return f"no image among {others} file(s) and {companions} companion file(s) ({EXAMPLES})"
    return f"no image among {others} file(s)" if others else "an empty folder"


def _files(path: Path) -> tuple[Path, list[Path], int]:
    """The folder that the names are relative to, all files, sorted, and the companions' number.

    Raises:
        ValueError: if there is no file; the message is the reason.
    """
    if is_folder(path):
        files, companions = _files_below(path)
        return path, sorted(files), companions
    if os.path.lexists(path) or not glob.has_magic(str(path)):
        check_plain_file(path, missing="no such file or folder")
        return path.parent, [path], 0
    base = [*takewhile(_is_plain, reversed(path.parents))][-1]
    found = base.glob(path.relative_to(base).as_posix())
    matching = [file.relative_to(base).as_posix() for file in found if not is_folder(file)]
    if not matching:
        raise ValueError("no file matches the pattern")
    names, companions = without_companions(matching)
    return base, sorted(base / name for name in names), companions


def _files_below(folder: Path) -> tuple[list[Path], int]:
    """All files in a folder and its subfolders, and the subfolders that may not be listed; and the
    number of companions, which are not among them."""
    refused: list[OSError] = []
    files: list[Path] = []
    companions = 0
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        companions += sum(map(is_companion, (*folders, *names)))
        folders[:] = [name for name in folders if not is_companion(name)]
        files += [Path(parent, name) for name in names if not is_companion(name)]
    unlisted = [Path(error.filename) for error in refused]
    if folder in unlisted:
        raise ValueError(refused[0].strerror)
    return files + unlisted, companions


def _is_plain(folder: Path) -> bool:
    """Whether the folder's name is no pattern; the names of existing folders may hold brackets."""
    return is_folder(folder) or not glob.has_magic(folder.name)


def _is_image(path: Path) -> bool:
    is_named_like_one = path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    return is_named_like_one or is_folder(path)


def output_names(names: list[str]) -> list[str]:
    """Each name without its suffix, or with it if another image would get the same name."""
    results = [str(PurePosixPath(name).with_suffix("")) for name in names]
    while True:
        counts: dict[str, int] = {}
        for result in results:
            counts[result] = counts.get(result, 0) + 1
        if len(counts) == len(results):
            return results
        pairs = zip(names, results, strict=True)
        results = [name if counts[result] > 1 else result for name, result in pairs]


def read_beauty(path: Path, params: PredictParams) -> Beauty:
    """Read, expose and encode, as `ingest` does.

    Grey becomes equal red, green and blue. Pixels that are not finite or negative become black.
    Transparent pixels keep their colour, but do not influence the exposure.

    Raises:
        BadSampleError: if the image cannot be used; its message is the reason.
    """
    options = ReadOptions(params.colour_space, params.alpha, grey=True)
    try:
        image = read_colour(path, int(params.max_megapixels * 1e6), options=options)
        return _exposed(
            Image(image.pixels, image.space, image.type, image.notes), image.present, params
        )
    except ValueError as error:
        raise BadSampleError(str(error).removeprefix(f"{path}: ")) from error


def _exposed(image: Image, present: np.ndarray | None, params: PredictParams) -> Beauty:
    height, width = image.pixels.shape[:2]
    exposure = params.exposure.model_dump()
    checks = check_pixels(image, image, brightness_of(exposure["policy"]))
    usable = checks.usable if present is None else checks.usable & present
    if not usable.any():
        hint = "" if present is None else "; if alpha is no coverage, set predict.alpha to ignore"
        raise ValueError(f"no pixel is finite, not negative and opaque{hint}")
    is_encoded = image.space == "srgb"
    factor = 1.0 if is_encoded else exposure_factor(checks.brightness, usable, **exposure)
    rows_of, stored = linear_rows(image, checks.usable), np.empty((height, width, 3), np.uint16)
    clipped = 0
    for rows in strips(height, width):
        light = rows_of(rows) * np.float32(factor)
        clipped += int(np.count_nonzero((light > 1).any(axis=-1)))
        stored[rows] = quantize(encode_srgb(light))
    pixels = height * width
    return Beauty(
        stored,
        {
            "width": width,
            "height": height,
            "type": image.type,
            "space": image.space,
            "colour_source": image.notes.source,
            "colour_doubt": image.notes.doubt,
            "exposure": float(factor),
            "clipped_share": clipped / pixels,
            "nonfinite_share": checks.nonfinite / pixels,
            "negative_share": checks.negative / pixels,
            "transparent_share": 0.0 if present is None else 1 - float(present.mean()),
        },
    )
