"""Reading image files, through OpenImageIO: colour and masks, channels chosen by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from albedo_pipeline.imaging.io.channels import (
    Choice,
    Part,
    choose_channel,
    choose_colour,
    choose_mask,
)
from albedo_pipeline.imaging.io.display_window import check_size, on_display, upright
from albedo_pipeline.imaging.io.npy import read_array
from albedo_pipeline.imaging.pixels import single

if TYPE_CHECKING:
    from OpenImageIO import ImageInput, ImageSpec

OPAQUE = 0.999
"""Alpha from which a pixel is whole; half floats and 8-bit codes of 1 stay above it."""

_CMYK = ("CMYK", "YCCK")


@dataclass(frozen=True)
class ColourImage:
    """Pixels of a file, as stored."""

    pixels: np.ndarray
    """[H, W, 3], red, green, blue; may be a view. float16 where the file has half floats, else
    float32; integer formats are in [0, 1]."""
    present: np.ndarray | None
    """bool [H, W], false where the file is transparent or holds no pixel; None: true everywhere."""
    type: str
    """Type of the file's own pixels: uint8, uint16, half, float, …"""
    attributes: dict[str, str] = field(default_factory=dict)
    """The file's text attributes."""


def read_colour(path: Path, max_pixels: int, layer: str | None = None) -> ColourImage:
    """The red, green and blue of an image file or `.npy`, on its display window.

    No colour conversion is made; NaN, infinities and negatives come as they are. Of a file with
    several parts (EXR) the one that holds the layer is read; of several pages the first.

    Args:
        path: anything that OpenImageIO opens, or an array [H, W, 3 or 4].
        max_pixels: of the data and of the display window; checked before memory is taken.
        layer: prefix of the channels (`layer.R`), or name of the EXR part that holds R, G, B;
            none, or "": the plain R, G, B.

    Raises:
        ValueError: "path: reason", where the file is missing, damaged, too large, CMYK, or does
            not hold red, green and blue exactly once.
    """
    with _naming(path):
        if path.suffix.lower() == ".npy":
            array, type_name = read_array(path, max_pixels)
            if array.shape[2] not in (3, 4):
                raise ValueError(f"{array.shape[2]} channel(s), expected red, green and blue")
            return ColourImage(array[..., :3], _opaque(array), type_name)
        image = _read(path, lambda parts: choose_colour(parts, layer or ""), max_pixels)
        has_alpha = image.pixels.shape[2] == 4  # and it is 0 where there is no data
        present = _opaque(image.pixels) if has_alpha else image.covered
        return ColourImage(image.pixels[..., :3], present, image.type, _texts(image.spec))


def read_mask(path: Path, max_pixels: int, channel: str | None = None) -> np.ndarray:
    """A mask file or `.npy`, float32 [H, W, 1 to 4], on its display window; 0 where it has no data.

    Alpha is ignored, unless it is all there is. Integer formats come in [0, 1].

    Args:
        path: anything that OpenImageIO opens, or an array [H, W] or [H, W, 1 to 4].
        max_pixels: as for `read_colour`.
        channel: the one channel to read, by its name in any part of the file.

    Raises:
        ValueError: "path: reason", where the file is missing, damaged, too large, CMYK or has
            more channels.
    """
    with _naming(path):
        if path.suffix.lower() == ".npy":
            return read_array(path, max_pixels)[0]
        # Not premultiplied: a white mask with alpha 0 would come as black.
        options = {"oiio:UnassociatedAlpha": 1}
        choose = (lambda parts: choose_channel(parts, channel)) if channel else choose_mask
        return single(_read(path, choose, max_pixels, options).pixels)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        reason = error.strerror or "cannot be read" if isinstance(error, OSError) else error
        raise ValueError(f"{path}: {reason}") from error


@dataclass(frozen=True)
class _Image:
    pixels: np.ndarray
    """float16 or float32 [H, W, C] of the display window, 0 where there is no data."""
    covered: np.ndarray | None
    type: str
    spec: "ImageSpec"


def _read(
    path: Path,
    choose: Callable[[list[Part]], Choice],
    max_pixels: int,
    options: dict[str, int] | None = None,
) -> _Image:
    with _opened(path, options or {}) as source:
        chosen = choose(_parts(source))
        spec = source.spec(chosen.part, 0)
        check_size(spec.width, spec.height, max_pixels)
        # Positions in other formats, such as a scan's place on its page, leave nothing out.
        has_windows = source.format_name() == "openexr"
        if has_windows:
            check_size(spec.full_width, spec.full_height, max_pixels)
        pixels = _pixels(path, source, spec, chosen)
    type_name = str(spec.channelformat(chosen.channels[0]))
    if not has_windows:
        orientation = spec.get_int_attribute("Orientation", 1)
        return _Image(upright(pixels, orientation), None, type_name, spec)
    top, left = spec.y - spec.full_y, spec.x - spec.full_x
    pixels, covered = on_display(pixels, top, left, spec.full_height, spec.full_width)
    return _Image(pixels, covered, type_name, spec)


@contextmanager
def _opened(path: Path, options: dict[str, int]) -> Iterator["ImageInput"]:
    import OpenImageIO as oiio

    if not path.is_file():
        raise ValueError("no such file")
    if path.stat().st_size == 0:
        raise ValueError("empty file")
    config = oiio.ImageSpec()
    for name, value in options.items():
        config.attribute(name, value)
    source = oiio.ImageInput.open(str(path), config)
    if source is None:
        raise ValueError(f"{_words(oiio.geterror(), path)}: not an image, or a damaged one")
    try:
        yield source
    finally:
        source.close()


def _parts(source: "ImageInput") -> list[Part]:
    """Of formats with pages the first, of EXR all parts."""
    first = source.spec(0, 0)
    count = first.get_int_attribute("oiio:subimages", 1)
    specs = [first]
    if source.format_name() == "openexr":
        specs += [source.spec(i, 0) for i in range(1, count)]
    return [Part(s.get_string_attribute("oiio:subimagename"), s.channelnames) for s in specs]


def _pixels(path: Path, source: "ImageInput", spec: "ImageSpec", chosen: Choice) -> np.ndarray:
    """[h, w, channels] of the data window, float16 of half floats, else float32."""
    import OpenImageIO as oiio

    if spec.deep:
        raise ValueError("deep pixels")
    spaces = [spec.get_string_attribute(f"{name}:ColorSpace") for name in ("jpeg", "tiff")]
    if any(space in _CMYK for space in spaces):  # OpenImageIO converts them, without a profile
        raise ValueError("CMYK colours, expected red, green and blue")
    first, end = min(chosen.channels), max(chosen.channels) + 1
    types = {spec.channelformat(channel).basetype for channel in chosen.channels}
    # Half floats stay so: half the memory, and read in three quarters of the time.
    wanted = oiio.HALF if types == {oiio.HALF} else oiio.FLOAT
    pixels = source.read_image(chosen.part, 0, first, end, wanted)
    # For a JPEG that is cut off OpenImageIO gives grey pixels, and tells only in its error.
    trouble = source.geterror()
    if pixels is None or trouble:
        raise ValueError(f"{_words(trouble, path)}: damaged or cut off")
    pixels = pixels.reshape(spec.height, spec.width, end - first)
    order = [channel - first for channel in chosen.channels]
    return pixels if order == list(range(end - first)) else pixels[..., order]


def _opaque(pixels: np.ndarray) -> np.ndarray | None:
    """Where the alpha of [H, W, 3 or 4] is (nearly) 1; None: everywhere."""
    if pixels.shape[2] == 3:
        return None
    alpha = single(pixels[..., 3])
    return None if alpha.min() >= OPAQUE else alpha >= OPAQUE


def _texts(spec: "ImageSpec") -> dict[str, str]:
    import OpenImageIO as oiio

    return {a.name: str(a.value) for a in spec.extra_attribs if a.type == oiio.TypeString}


def _words(error: str, path: Path) -> str:
    """OpenImageIO's first line without the file's name and colons, which end a reason's name."""
    line = (error.strip() or "no reason given").splitlines()[0]
    for name in (str(path), path.name):
        for form in (f' ("{name}")', f" ({name})", f'"{name}"', name):
            line = line.replace(form, "")
    return line.replace(": ", ", ").strip(" .?")
