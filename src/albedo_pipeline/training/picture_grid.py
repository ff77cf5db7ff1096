"""Grids of pictures with a heading over each column, and their animation."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from albedo_pipeline.imaging.colormap import coloured

_SIDE = 128
"""Width that smaller pictures are enlarged to or beyond by a whole factor, pixels."""
_GAP, _HEADING, _BAR, _FONT = 4, 18, 6, 13
"""Space between pictures, height of the headings and of the colour bars, and size of the font,
pixels."""


def picture_grid(
    columns: Mapping[str, Sequence[np.ndarray]], false_coloured: Collection[str] = ()
) -> np.ndarray:
    """One column for each heading, one row for each sample.

    Args:
        columns: pictures of one size, uint8 [H, W, 3], by the heading of their column; equally many
            in each.
        false_coloured: headings of the columns that get a bar with the colours from 0 to the limit.

    Returns:
        uint8 [height, width, 3].
    """
    parts = [
        _column(heading, pictures, heading in false_coloured)
        for heading, pictures in columns.items()
    ]
    gap = np.full((len(parts[0]), _GAP, 3), 255, np.uint8)
    return np.concatenate([gap, *(part for column in parts for part in (column, gap))], axis=1)


def write_animation(path: Path, frames: Mapping[str, Path], seconds: float) -> None:
    """Write image files as a GIF; those of another size than the last are left out.

    A frame has 256 colours of its own. They are those that cover all colours of the frame, moved to
    the means of what they stand for: so rare colours keep their hue.

    Args:
        path: the file to write; its folder must exist.
        frames: image files, at least one, by the text that stands over them, in their order.
        seconds: how long each is shown; the last one four times as long.

    Raises:
        OSError: if a file cannot be read or written.
    """
    from PIL import Image

    images = {caption: Image.open(frame).convert("RGB") for caption, frame in frames.items()}
    size = list(images.values())[-1].size
    shown = [
        Image.fromarray(np.concatenate([_caption(caption, size[0]), np.asarray(image)])).quantize(
            256, Image.Quantize.MAXCOVERAGE, kmeans=2
        )
        for caption, image in images.items()
        if image.size == size
    ]
    durations = [round(1000 * seconds)] * (len(shown) - 1) + [round(4000 * seconds)]
    shown[0].save(path, "GIF", save_all=True, append_images=shown[1:], duration=durations, loop=0)


def pictures(images: torch.Tensor) -> list[np.ndarray]:
    """Images [B, 3, H, W] in [0, 1] => one uint8 [H, W, 3] each; other values are clipped."""
    shown = (images.clamp(0, 1) * 255).round().to(torch.uint8)
    return [*shown.permute(0, 2, 3, 1).cpu().numpy()]


def _column(heading: str, pictures: Sequence[np.ndarray], has_bar: bool) -> np.ndarray:
    factor = max(1, -(-_SIDE // pictures[0].shape[1]))
    enlarged = [picture.repeat(factor, 0).repeat(factor, 1) for picture in pictures]
    width = enlarged[0].shape[1]
    gap = np.full((_GAP, width, 3), 255, np.uint8)
    bar = np.full((_BAR, width, 3), 255, np.uint8)
    if has_bar:
        bar[:] = coloured(np.linspace(0, 1, width))
    shown = (part for picture in enlarged for part in (picture, gap))
    return np.concatenate([_heading(heading, width), bar, gap, *shown])


def _caption(text: str, width: int) -> np.ndarray:
    """A heading that begins where the first column does, uint8 [_HEADING, width, 3]."""
    left = ((0, 0), (_GAP, 0), (0, 0))
    return np.pad(_heading(text, width - _GAP), left, constant_values=255)


def _heading(text: str, width: int) -> np.ndarray:
    """Black text on white, uint8 [_HEADING, width, 3]."""
    from PIL import Image, ImageDraw, ImageFont

    strip = Image.new("RGB", (width, _HEADING), "white")
    font = ImageFont.load_default(_FONT)
    ImageDraw.Draw(strip).text((0, _HEADING // 2), text, fill="black", font=font, anchor="lm")
    return np.asarray(strip)
