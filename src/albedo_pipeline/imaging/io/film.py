"""Reading the frames of an animation (GIF, WebP) or a video, one after another."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from albedo_pipeline.errors import one_line
from albedo_pipeline.imaging.io.display_window import check_size
from albedo_pipeline.runtime.plain_files import check_plain_file

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream
    from PIL import ImageFile

ANIMATIONS = {".gif", ".webp"}
"""Suffixes of images that may have several frames."""
VIDEOS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"}
"""Suffixes of videos."""
_DEFAULT_DELAY = 100
"""Milliseconds that browsers show a frame of an animation that names no duration."""
_HDR_CURVES = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of ITU-T H.273 that are not those of a display of 8 bits."""
_UNSPECIFIED = 2
"""Matrix coefficients of a video that does not name them (ITU-T H.273)."""
_HD_HEIGHT = 720
"""Height from which a video that does not say so is Rec.709; smaller ones are Rec.601."""


@dataclass(frozen=True)
class Film:
    """What an animation or a video says about its frames."""

    frames: int
    """Number of frames; 1 for a still image."""
    frames_per_second: float
    height: int
    """Height of a frame, pixels, upright."""
    width: int
    """Width of a frame, pixels, upright."""


def read_film(path: Path) -> Film:
    """Read what a file says about its frames.

    Args:
        path: a file whose suffix is one of `ANIMATIONS` or `VIDEOS`.

    Raises:
        ValueError: if the file is damaged, or is a video and PyAV is not installed; the message is
            the reason, without the path.
    """
    with _readable(path):
        return _video_facts(path) if path.suffix.lower() in VIDEOS else _animation_facts(path)


class FilmReader:
    """Reads frames of one file at a time; frames that are asked for in order are decoded once."""

    def __init__(self, max_pixels: int) -> None:
        """Refuse frames of more than `max_pixels` pixels."""
        self._max_pixels = max_pixels
        self._path: Path | None = None
        self._frames: Generator[np.ndarray] | None = None
        self._next = 0

    def read(self, path: Path, number: int) -> np.ndarray:
        """Frame `number`, counted from 0: float32 [H, W, 4], sRGB-encoded with straight alpha.

        Raises:
            ValueError: if the file is damaged, too large, ends before the frame, or is an HDR
                video; the message is the reason, without the path.
        """
        if path != self._path or number < self._next or self._frames is None:
            self.close()
            is_video = path.suffix.lower() in VIDEOS
            opened = _video_frames if is_video else _animation_frames
            self._frames, self._path, self._next = opened(path, self._max_pixels), path, 0
        try:
            with _readable(path):
                for frame in self._frames:
                    self._next += 1
                    if self._next == number + 1:
                        return frame
        except ValueError:
            self._frames = None
            raise
        ended, self._frames = self._next, None
        raise ValueError(f"damaged: it ends after {ended} frame(s)")

    def close(self) -> None:
        """Close the open file."""
        if self._frames is not None:
            self._frames.close()
        self._frames = None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn whatever the decoders raise into a ValueError."""
    check_plain_file(path)
    if path.suffix.lower() in VIDEOS and not find_spec("av"):
        raise ValueError("a video, which needs PyAV: pip install 'albedo_pipeline[video]'")
    try:
        yield
    except ValueError:
        raise
    except Exception as error:  # damaged files raise errors of many types
        name = one_line(error).replace(str(path), "").replace("''", "").strip(" :;")
        raise ValueError(f"not an image or a video, or a damaged one ({name})") from error


def _opened_animation(path: Path) -> "ImageFile.ImageFile":
    from PIL import Image

    return Image.open(path, formats=["GIF", "WEBP"])


def _animation_facts(path: Path) -> Film:
    with _opened_animation(path) as picture:
        frames, milliseconds = getattr(picture, "n_frames", 1), 0.0
        for number in range(frames):
            picture.seek(number)
            milliseconds += picture.info.get("duration") or _DEFAULT_DELAY
        return Film(frames, 1000 * frames / milliseconds, picture.height, picture.width)


def _animation_frames(path: Path, max_pixels: int) -> Generator[np.ndarray]:
    with _opened_animation(path) as picture:
        check_size(picture.width, picture.height, max_pixels)
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            yield np.asarray(picture.convert("RGBA"), dtype=np.float32) / np.float32(255)


def _video_facts(path: Path) -> Film:
    import av

    with av.open(str(path)) as container:
        stream = _video_stream(container)
        # Some containers do not store the number of frames.
        frames = stream.frames or sum(1 for packet in container.demux(stream) if packet.size)
    with av.open(str(path)) as container:
        stream = _video_stream(container)
        rate = float(stream.average_rate or stream.guessed_rate or 0) or 24.0
        first = next(container.decode(video=0), None)
    if first is None:
        raise ValueError("it has no frame")
    height, width = first.height, first.width
    if first.rotation % 180:
        height, width = width, height
    return Film(frames, rate, height, width)


def _video_frames(path: Path, max_pixels: int) -> Generator[np.ndarray]:
    import av

    with av.open(str(path)) as container:
        stream = _video_stream(container)
        check_size(stream.width, stream.height, max_pixels)
        for frame in container.decode(video=0):
            yield _rgba(frame)


def _video_stream(container: "InputContainer") -> "VideoStream":
    streams = container.streams.video
    if not streams:
        raise ValueError("it holds no pictures, or is damaged")
    return streams[0]


def _rgba(frame: "VideoFrame") -> np.ndarray:
    """A frame of a video, upright. Its values count as sRGB-encoded, as players show them."""
    from av.video.reformatter import Colorspace

    curve = _HDR_CURVES.get(frame.color_trc)
    if curve:
        raise ValueError(f"an HDR video ({curve}); convert it to EXR frames, or to Rec.709")
    matrix: int = frame.colorspace
    if matrix == _UNSPECIFIED:
        matrix = Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601
    deep = frame.format.components[0].bits > 8
    pixels = frame.reformat(format="rgb48le" if deep else "rgb24", src_colorspace=matrix)
    colours = pixels.to_ndarray().astype(np.float32) / np.float32(65535 if deep else 255)
    colours = np.rot90(colours, frame.rotation // 90)
    return np.concatenate([colours, np.ones((*colours.shape[:2], 1), np.float32)], axis=-1)
