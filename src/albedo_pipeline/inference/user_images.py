"""The user's own images: finding them, and reading their beauty for the model."""

import glob
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

import numpy as np

from albedo_pipeline.artifacts.prediction_job import UserImage
from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.imaging.declarations import ReadOptions
from albedo_pipeline.imaging.exposure import brightness_of, exposure_factor
from albedo_pipeline.imaging.image import Image, linear_rows
from albedo_pipeline.imaging.io.film import ANIMATIONS, VIDEOS, read_film
from albedo_pipeline.imaging.io.read import ColourImage, read_colour
from albedo_pipeline.imaging.pixel_checks import PixelChecks, check_pixels
from albedo_pipeline.imaging.resize import strips
from albedo_pipeline.imaging.stored_srgb import stored_srgb
from albedo_pipeline.params import PredictParams
from albedo_pipeline.runtime.companions import EXAMPLES, is_companion, without_companions
from albedo_pipeline.runtime.plain_files import check_plain_file, is_folder
from albedo_pipeline.runtime.storage import on_disk

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


def find_images(location: str, videos: bool = False) -> Found:
    """Images in a folder and its subfolders (but not behind links), or matching a pattern, or one.

    A single file is used whatever its suffix and name. Companion files, such as `._name.png`, are
    passed over. What cannot be read, such as a link that leads
    nowhere or a subfolder that may not be listed, counts as an image, so that it is named.

    Args:
        location: what `predict.input` says.
        videos: whether videos count as images, too.

    Raises:
        ProjectError: if there is no image, the single one is no file, or they are not on a disk;
            names `predict.input`.
    """
    path = on_disk(location, "predict.input")
    try:
        path = path.expanduser()
        base, paths, companions = _files(path)
        suffixes = SUFFIXES | VIDEOS if videos else SUFFIXES
        is_single = paths == [path]
        images = paths if is_single else [path for path in paths if _is_image(path, suffixes)]
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


def _is_image(path: Path, suffixes: set[str]) -> bool:
    is_named_like_one = path.suffix.lower() in suffixes and not path.name.startswith(".")
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
    """Read, expose and encode an image, as `ingest` does.

    Raises:
        BadSampleError: if the image cannot be used, or has several frames; its message is the
            reason.
    """
    with bad_sample(path):
        _refuse_film(path)
    return exposed(path, read_image(path, params), params)


def read_image(path: Path, params: PredictParams) -> ColourImage:
    """Read the colours of an image; grey becomes equal red, green and blue.

    Raises:
        BadSampleError: if the image cannot be used; its message is the reason.
    """
    options = ReadOptions(params.colour_space, params.alpha, grey=True)
    with bad_sample(path):
        return read_colour(path, int(params.max_megapixels * 1e6), options=options)


def exposure_of(image: ColourImage, params: PredictParams) -> float | None:
    """The factor that `predict.exposure` chooses for an image; None if the image is black."""
    if image.space == "srgb":
        return 1.0
    exposure = params.exposure.model_dump()
    checks = _checked(image, params)
    usable = checks.usable if image.present is None else checks.usable & image.present
    try:
        return float(exposure_factor(checks.brightness, usable, **exposure))
    except ValueError:
        return None


def exposed(
    path: Path, image: ColourImage, params: PredictParams, factor: float | None = None
) -> Beauty:
    """Expose and encode an image.

    Pixels that are not finite or negative become black. Transparent pixels keep their colour, but
    do not influence the exposure.

    Args:
        path: the file, for errors.
        image: the image as stored.
        params: settings.
        factor: factor that the linear values are multiplied by; None: what `predict.exposure` says.

    Raises:
        BadSampleError: if no pixel can be used, or the image is black and has no factor.
    """
    with bad_sample(path):
        return _exposed(image, params, factor)


@contextmanager
def bad_sample(path: Path) -> Iterator[None]:
    """Turn a ValueError about a file into a BadSampleError without the file's path."""
    try:
        yield
    except BadSampleError:
        raise
    except ValueError as error:
        raise BadSampleError(str(error).removeprefix(f"{path}: ")) from error


def _refuse_film(path: Path) -> None:
    """Raise ValueError if a file has several frames, of which only the first would be used."""
    suffix = path.suffix.lower()
    if suffix in VIDEOS:
        raise ValueError("a video; set predict.sequence to true to predict its frames")
    if suffix not in ANIMATIONS:
        return
    try:
        frames = read_film(path).frames
    except ValueError:  # the reader of images says what is wrong
        return
    if frames > 1:
        raise ValueError(
            f"an animation of {frames} frames; set predict.sequence to true to predict them all, "
            "or save one frame as PNG"
        )


def _checked(image: ColourImage, params: PredictParams) -> PixelChecks:
    both = Image(image.pixels, image.space, image.type, image.notes)
    return check_pixels(both, both, brightness_of(params.exposure.policy))


def _exposed(image: ColourImage, params: PredictParams, factor: float | None) -> Beauty:
    present = image.present
    height, width = image.pixels.shape[:2]
    checks = _checked(image, params)
    usable = checks.usable if present is None else checks.usable & present
    if not usable.any():
        hint = "" if present is None else "; if alpha is no coverage, set predict.alpha to ignore"
        raise ValueError(f"no pixel is finite, not negative and opaque{hint}")
    if image.space == "srgb":
        factor = 1.0
    elif factor is None:
        factor = exposure_factor(checks.brightness, usable, **params.exposure.model_dump())
    as_stored = Image(image.pixels, image.space, image.type, image.notes)
    rows_of, stored = linear_rows(as_stored, checks.usable), np.empty((height, width, 3), np.uint16)
    clipped = 0
    for rows in strips(height, width):
        light = rows_of(rows) * np.float32(factor)
        clipped += int(np.count_nonzero((light > 1).any(axis=-1)))
        stored[rows] = stored_srgb(light)
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
