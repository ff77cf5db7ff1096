"""Writing moving pictures: MP4 for players and browsers, GIF for anything else, WebP for pages."""

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

_QUALITY = "14"
"""Constant rate factor of x264, at which its artefacts cannot be told from the pictures' noise."""
_WEBP_QUALITY = 80
"""Quality of a WebP, at which enlarged pixels keep their edges."""
_REC709 = 1
"""Primaries and matrix coefficients of Rec.709 (ITU-T H.273)."""
_SRGB_CURVE = 13
"""Transfer characteristics of sRGB (ITU-T H.273)."""
_LIMITED = 1
"""Range of the values: 16 to 235, which every player knows."""


def write_mp4(path: Path, frames: Iterable[np.ndarray], frames_per_second: float) -> None:
    """Write an MP4 (H.264, 4:2:0, Rec.709), which browsers play.

    Args:
        path: the file to write.
        frames: uint8 [H, W, 3], sRGB-encoded; of one size, with even H and W.
        frames_per_second: above 0.

    Raises:
        OSError: if the file cannot be written; the message names it.
    """
    import av
    from av.video.reformatter import Colorspace

    rate = Fraction(frames_per_second).limit_denominator(1001)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": _QUALITY})
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1  # the same bytes on any machine
        context = stream.codec_context
        context.color_range, context.colorspace = _LIMITED, _REC709
        context.color_primaries, context.color_trc = _REC709, _SRGB_CURVE
        for number, pixels in enumerate(frames):
            if not number:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_gif(path: Path, frames: Iterable[np.ndarray], frames_per_second: float) -> None:
    """Write a GIF that repeats for ever; each frame has 256 colours of its own.

    Equal frames that follow each other become one that is shown longer.

    Args:
        path: the file to write.
        frames: uint8 [H, W, 3], sRGB-encoded, of one size.
        frames_per_second: above 0; a GIF's frames last whole hundredths of a second.

    Raises:
        OSError: if the file cannot be written.
    """
    pictures = _with_palettes(frames)
    first = next(pictures)
    delay = max(2, round(100 / frames_per_second)) * 10
    first.save(
        path,
        "GIF",
        save_all=True,
        append_images=pictures,
        duration=delay,
        loop=0,
        optimize=False,
    )


def encoded_webp(frames: Iterable[np.ndarray], frames_per_second: float) -> bytes:
    """An animated WebP that repeats for ever; browsers show it as a picture.

    Args:
        frames: uint8 [H, W, 3], sRGB-encoded, of one size.
        frames_per_second: above 0.
    """
    from PIL import Image

    pictures = (Image.fromarray(np.ascontiguousarray(pixels)) for pixels in frames)
    first, file = next(pictures), io.BytesIO()
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=pictures,
        duration=round(1000 / frames_per_second),
        loop=0,
        quality=_WEBP_QUALITY,
        method=4,
    )
    return file.getvalue()


def _with_palettes(frames: Iterable[np.ndarray]) -> Iterator["Image.Image"]:
    from PIL import Image

    for pixels in frames:
        yield Image.fromarray(pixels).quantize(256, method=Image.Quantize.MEDIANCUT)
