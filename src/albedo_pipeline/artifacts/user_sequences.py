"""The files of a sequence of frames: a video of beauty beside albedo, and facts about the shots."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from albedo_pipeline.artifacts.user_results import Record, replaced
from albedo_pipeline.imaging.colour import ColourSpace, encode_srgb, to_linear
from albedo_pipeline.imaging.declarations import ReadOptions
from albedo_pipeline.imaging.io.film_writer import write_gif, write_mp4
from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.imaging.pixels import as_float32, dequantize
from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.metrics.flicker import Flicker, flicker_of_pair
from albedo_pipeline.params.predict import OutputParams
from albedo_pipeline.runtime.atomic_files import write_text

_LARGEST = 960
"""Longer side of each half of the video, in pixels; larger frames are reduced."""
_SMALLEST = 256
"""Longer side up to which small frames are enlarged, by a whole factor."""
_VIDEO = "{}_side_by_side.{}"
_RECORD = "{}_sequence.json"


@dataclass(frozen=True)
class FrameResult:
    """A predicted frame of a sequence."""

    beauty: Callable[[], np.ndarray]
    """Reads the frame as the model sees it, uint16 [H, W, 3], sRGB-encoded."""
    shot: int
    """Number of the shot, from 1."""
    files: dict[str, str]
    """Names of the result's files by their kind; see `write_results`."""


@dataclass
class _Measured:
    """Yields the pictures of a video, and measures the flicker on the way."""

    folder: Path
    frames: list[FrameResult]
    output: OutputParams
    flicker: Flicker = field(default_factory=Flicker)

    def pictures(self) -> Iterator[np.ndarray]:
        before: tuple[int, np.ndarray, np.ndarray] | None = None
        for frame in self.frames:
            beauty = dequantize(frame.beauty())
            albedo = encode_srgb(read_albedo(self.folder, frame.files, self.output))
            if before is not None and before[0] == frame.shot:
                self.flicker += flicker_of_pair(before[2], albedo, before[1], beauty)
            before = (frame.shot, beauty, albedo)
            yield side_by_side(beauty, albedo)


def write_sequence(
    folder: Path,
    output: str,
    frames: list[FrameResult],
    frames_per_second: float,
    files: OutputParams,
) -> Record:
    """Write the video of a sequence, if one is wanted, and measure its flicker.

    Args:
        folder: folder of all results.
        output: name of the sequence's results, without suffix.
        frames: the frames that were predicted, in order; at least one.
        frames_per_second: frame rate of the video.
        files: which files there are of each frame, and the format of the video.

    Returns:
        `flicker` (None if no pixel stays the same), `still_share`, and the names of the `files`.

    Raises:
        OSError: if the video cannot be written; names it.
    """
    for kind in ("mp4", "gif"):
        (folder / _VIDEO.format(output, kind)).unlink(missing_ok=True)
    measured, names = _Measured(folder, frames, files), {}
    if files.video:
        write = write_mp4 if files.video == "mp4" else write_gif
        names["video"] = _VIDEO.format(output, files.video)
        with replaced(folder / names["video"]) as path:
            write(path, measured.pictures(), frames_per_second)
    else:
        for _ in measured.pictures():
            pass
    flicker = measured.flicker
    return {"flicker": flicker.mean, "still_share": flicker.still_share, "files": names}


def read_albedo(folder: Path, files: dict[str, str], output: OutputParams) -> np.ndarray:
    """Read a written albedo back, linear Rec.709, float32 [H, W, 3], in [0, 1]."""
    spaces: dict[str, ColourSpace | None] = {
        "exr": output.exr,
        "png": output.png,
        "tiff": output.tiff,
    }
    kind, space = next((kind, space) for kind, space in spaces.items() if space)
    declared = ReadOptions(space, "ignore")
    pixels = as_float32(read_colour(folder / files[kind], 2**40, options=declared).pixels)
    return np.clip(to_linear(pixels, space), 0, 1)


def side_by_side(beauty: np.ndarray, albedo: np.ndarray) -> np.ndarray:
    """Two images, float32 [H, W, 3], sRGB-encoded, in [0, 1] => uint8 [h, 2 w, 3].

    Both sides are even, as videos need them. Small images are enlarged by repeating their pixels.
    """
    height, width = beauty.shape[:2]
    longer = max(height, width)
    if longer > _LARGEST:
        size = (max(1, round(n * _LARGEST / longer)) for n in (height, width))
        height, width = size
        beauty, albedo = (
            encode_srgb(resize_image(to_linear(image, "srgb"), height, width))
            for image in (beauty, albedo)
        )
    both = np.rint(255 * np.concatenate([beauty, albedo], axis=1)).astype(np.uint8)
    factor = max(1, _SMALLEST // longer)
    both = both.repeat(factor, axis=0).repeat(factor, axis=1)
    return np.pad(both, ((0, both.shape[0] % 2), (0, 0), (0, 0)), mode="edge")


def stored_sequence(folder: Path, output: str, key: str) -> Record | None:
    """The record of a sequence whose video is complete and was made with this key, or None."""
    try:
        stored = json.loads((folder / _RECORD.format(output)).read_text(encoding="utf-8"))
        is_complete = all((folder / name).is_file() for name in stored["record"]["files"].values())
        return stored["record"] if stored["key"] == key and is_complete else None
    except (OSError, KeyError, TypeError, ValueError, AttributeError):  # missing or damaged
        return None


def store_sequence(folder: Path, output: str, key: str, record: Record) -> None:
    """Write the record of a sequence, after its video."""
    write_text(folder / _RECORD.format(output), json.dumps({"key": key, "record": record}))
