"""The files made from one of the user's images; each appears complete or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from albedo_pipeline.imaging.colour import ColourSpace, decode_srgb, encode_srgb, from_linear
from albedo_pipeline.imaging.io.scanline_writer import PixelType, write_rows
from albedo_pipeline.imaging.io.source import utf8_name
from albedo_pipeline.imaging.pixels import as_float32, dequantize, quantize
from albedo_pipeline.imaging.resize import resize_rows
from albedo_pipeline.params.predict import OutputParams
from albedo_pipeline.runtime.atomic_files import fsync

Record = dict[str, Any]
"""Facts about an image or a run, ready for JSON."""
BRIGHTEST_UNCERTAINTY = 0.1
"""Uncertainty from which the thumbnails show the brightest colour."""
_THUMBNAIL = 480
"""Longer side of the thumbnails on the page, in pixels."""
_LONGEST = 200
"""Largest number of bytes of a name: file systems allow 255, and suffixes are added."""
_RESULTS = {
    "exr": "{}_albedo.exr",
    "png": "{}_albedo.png",
    "tiff": "{}_albedo.tif",
    "uncertainty": "{}_uncertainty.exr",
    "beauty_thumbnail": "thumbnails/{}_beauty.jpg",
    "albedo_thumbnail": "thumbnails/{}_albedo.jpg",
    "uncertainty_thumbnail": "thumbnails/{}_uncertainty.jpg",
}
_RECORD_FILE = "{}_albedo.json"

RowsOf = Callable[[slice], np.ndarray]


@dataclass(frozen=True)
class UserPrediction:
    """The prediction of one image."""

    beauty: np.ndarray
    """The image as the model sees it: uint16 [H, W, 3], sRGB-encoded, exposed."""
    albedo: np.ndarray
    """float16 [H, W, 3], linear Rec.709, in [0, 1]."""
    uncertainty: np.ndarray | None
    """Spread of the ensemble, float16 [H, W, 3]; None without an ensemble."""
    record: Record
    """Facts about the image, such as its size, its exposure and the seconds that it took."""


def unusable_name(output: str) -> str:
    """Why no file can be named after an image's results; empty if files can."""
    name = os.fsencode(PurePosixPath(output).name)
    if len(name) > _LONGEST:  # perhaps too long for a file system
        return "its name is too long to add _albedo"
    try:
        utf8_name(Path(output))
    except ValueError as error:
        return str(error)
    return ""


def write_results(
    folder: Path, output: str, prediction: UserPrediction, files: OutputParams
) -> dict[str, str]:
    """Write all files of one image.

    Args:
        folder: folder of all results.
        output: name of the image's results; see `UserImage.output`.
        prediction: what is written.
        files: the files of the albedo, and their colour spaces.

    Returns:
        Names of the files, relative to the folder, by their kind.

    Raises:
        OSError: if a file cannot be written; names it.
    """
    remove_results(folder, output)  # for example a TIFF or an uncertainty of earlier settings
    albedo, uncertainty = prediction.albedo, prediction.uncertainty
    shape = albedo.shape
    wanted: dict[str, tuple[ColourSpace | None, PixelType]] = {
        "exr": (files.exr, "half"),
        "png": (files.png, "uint16" if files.png_bits == 16 else "uint8"),
        "tiff": (files.tiff, "uint16"),
    }
    written: dict[str, tuple[RowsOf, ColourSpace, PixelType]] = {
        kind: (_rows_in(albedo, space, pixel_type), space, pixel_type)
        for kind, (space, pixel_type) in wanted.items()
        if space
    }
    small = {
        "beauty_thumbnail": to_srgb8(reduced_beauty(prediction, _THUMBNAIL)),
        "albedo_thumbnail": to_srgb8(reduced(albedo, _THUMBNAIL)),
    }
    if uncertainty is not None:
        written["uncertainty"] = (lambda part: uncertainty[part], "linear", "half")
        small["uncertainty_thumbnail"] = _coloured(reduced(uncertainty, _THUMBNAIL))
    names = {kind: _RESULTS[kind].format(output) for kind in (*written, *small)}
    for kind, (rows_of, space, pixel_type) in written.items():
        with replaced(folder / names[kind]) as path:
            write_rows(path, rows_of, shape[0], shape[1], space, pixel_type)
    for kind, picture in small.items():
        with replaced(folder / names[kind]) as path:
            _write_jpeg(path, picture)
    return names


def remove_results(folder: Path, output: str) -> None:
    """Remove an image's files, the record file first."""
    for pattern in (_RECORD_FILE, *_RESULTS.values()):
        (folder / pattern.format(output)).unlink(missing_ok=True)


def record_path(folder: Path, output: str) -> Path:
    """Path of the JSON file that says what an image's results were made from."""
    return folder / _RECORD_FILE.format(output)


def recorded_outputs(folder: Path) -> list[str]:
    """Names of the results in a folder that have a record file, sorted."""
    files = [path.relative_to(folder).as_posix() for path in folder.rglob(_RECORD_FILE.format("*"))]
    return sorted(name.removesuffix(_RECORD_FILE.format("")) for name in files)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a path of the same suffix, whose file becomes `path` when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield partial
        fsync(partial)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def _rows_in(albedo: np.ndarray, space: ColourSpace, pixel_type: PixelType) -> RowsOf:
    """Rows of an albedo, linear Rec.709 in [0, 1], in a colour space and with a type of pixels."""

    def rows_of(part: slice) -> np.ndarray:
        pixels = from_linear(as_float32(albedo[part]), space)
        if pixel_type == "uint8":
            return _to_8_bits(pixels)
        return quantize(pixels) if pixel_type == "uint16" else pixels

    return rows_of


def _linear(stored: np.ndarray) -> np.ndarray:
    return decode_srgb(dequantize(stored))


def to_srgb8(linear: np.ndarray) -> np.ndarray:
    """Linear float32 in [0, 1] => uint8, sRGB-encoded."""
    return _to_8_bits(encode_srgb(linear))


def _to_8_bits(encoded: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(encoded, 0, 1)).astype(np.uint8)


def reduced(image: np.ndarray, side: int) -> np.ndarray:
    """float16 or float32 [H, W, C] => float32 [h, w, C] with sides of at most `side` pixels."""
    return _reduced_rows(lambda part: as_float32(image[part]), image.shape, side)


def reduced_beauty(prediction: UserPrediction, side: int) -> np.ndarray:
    """The beauty in linear Rec.709, float32 [h, w, 3], with sides of at most `side` pixels."""
    beauty = prediction.beauty
    return _reduced_rows(lambda part: _linear(beauty[part]), beauty.shape, side)


def _reduced_rows(rows_of: RowsOf, shape: tuple[int, ...], side: int) -> np.ndarray:
    longer = max(*shape[:2], side)
    height, width = (max(1, round(n * side / longer)) for n in shape[:2])
    return resize_rows(rows_of, (shape[0], shape[1], shape[2]), height, width)


def _coloured(uncertainty: np.ndarray) -> np.ndarray:
    from albedo_pipeline.imaging.colormap import coloured

    return coloured(uncertainty.mean(axis=-1) / BRIGHTEST_UNCERTAINTY)


def _write_jpeg(path: Path, picture: np.ndarray) -> None:
    from PIL import Image

    Image.fromarray(picture).save(path, "JPEG", quality=88, optimize=True)
