"""The files that are made of one image of the user's; each appears whole or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.io.scanline_writer import write_rows
from albedo_pipeline.imaging.pixels import as_float32, dequantize
from albedo_pipeline.imaging.resize import resize_rows
from albedo_pipeline.runtime.atomic_files import fsync

Record = dict[str, Any]
UNCERTAIN = 0.1
"""The brightest colour of the small uncertainty pictures, and all above it."""
_THUMBNAIL = 480
"""Longer side of the small pictures for the page, pixels."""
_LONGEST = 200
"""Bytes of a name, so that with what is added no file system finds it too long."""
_RESULTS = {
    "exr": "{}_albedo.exr",
    "png": "{}_albedo.png",
    "uncertainty": "{}_uncertainty.exr",
    "beauty_thumbnail": "thumbnails/{}_beauty.jpg",
    "albedo_thumbnail": "thumbnails/{}_albedo.jpg",
    "uncertainty_thumbnail": "thumbnails/{}_uncertainty.jpg",
}
_NOTE = "{}_albedo.json"

RowsOf = Callable[[slice], np.ndarray]


@dataclass(frozen=True)
class UserPrediction:
    """What was made of an image."""

    beauty: np.ndarray
    """As the model saw it: uint16 [H, W, 3], sRGB-encoded, exposed."""
    albedo: np.ndarray
    """float16 [H, W, 3], linear Rec.709, in [0, 1]."""
    uncertainty: np.ndarray | None
    """float16 [H, W, 3]."""
    record: Record
    """What is told of it."""


def is_too_long(output: str) -> bool:
    """Whether the results' names may be too long for a file system."""
    return len(os.fsencode(PurePosixPath(output).name)) > _LONGEST


def write_results(folder: Path, output: str, prediction: UserPrediction) -> dict[str, str]:
    """Write all files; gives their names below the folder by what they are.

    Raises:
        OSError: where one cannot be written; names it.
    """
    remove_results(folder, output)  # an uncertainty of other settings would stay, for one
    albedo, uncertainty = prediction.albedo, prediction.uncertainty
    shape = albedo.shape
    rows: dict[str, RowsOf] = {
        "exr": lambda part: albedo[part],
        "png": lambda part: _encoded(as_float32(albedo[part])),
    }
    small = {
        "beauty_thumbnail": _encoded(_small(lambda p: _linear(prediction.beauty[p]), shape)),
        "albedo_thumbnail": _encoded(_small(lambda p: as_float32(albedo[p]), shape)),
    }
    if uncertainty is not None:
        rows["uncertainty"] = lambda part: uncertainty[part]
        small["uncertainty_thumbnail"] = _coloured(
            _small(lambda p: as_float32(uncertainty[p]), shape)
        )
    files = {kind: _RESULTS[kind].format(output) for kind in (*rows, *small)}
    for kind, rows_of in rows.items():
        with _replaced(folder / files[kind]) as path:
            write_rows(path, rows_of, *shape[:2])
    for kind, picture in small.items():
        with _replaced(folder / files[kind]) as path:
            _write_jpeg(path, picture)
    return files


def remove_results(folder: Path, output: str) -> None:
    """Remove an image's files, the note first."""
    for pattern in (_NOTE, *_RESULTS.values()):
        (folder / pattern.format(output)).unlink(missing_ok=True)


def note_path(folder: Path, output: str) -> Path:
    """Where an image's note is."""
    return folder / _NOTE.format(output)


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Yield a path of the same suffix, whose file becomes `path` when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield partial
        fsync(partial)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def _linear(stored: np.ndarray) -> np.ndarray:
    return decode_srgb(dequantize(stored))


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Linear float32 in [0, 1] => uint8, sRGB-encoded."""
    return np.rint(255 * np.clip(encode_srgb(linear), 0, 1)).astype(np.uint8)


def _small(rows_of: RowsOf, shape: tuple[int, int, int]) -> np.ndarray:
    """float32 [h, w, 3], no larger than a thumbnail."""
    longer = max(*shape[:2], _THUMBNAIL)
    height, width = (max(1, round(n * _THUMBNAIL / longer)) for n in shape[:2])
    return resize_rows(rows_of, shape, height, width)


def _coloured(uncertainty: np.ndarray) -> np.ndarray:
    from albedo_pipeline.imaging.colormap import coloured

    return coloured(uncertainty.mean(axis=-1) / UNCERTAIN)


def _write_jpeg(path: Path, picture: np.ndarray) -> None:
    from PIL import Image

    Image.fromarray(picture).save(path, "JPEG", quality=88, optimize=True)
