"""Opening image files with OpenImageIO."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from albedo_pipeline.runtime.plain_files import check_plain_file

if TYPE_CHECKING:
    from OpenImageIO import ImageInput

_HEIF_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "HEIC"),
    **dict.fromkeys((b"mif1", b"msf1"), "HEIF"),
}
"""Formats by the brand in their first bytes."""


@contextmanager
def open_source(path: Path) -> Iterator["ImageInput"]:
    """Open an image file whose colours are read as they are stored.

    Raises:
        ValueError: if it cannot be opened; the message is the reason, without the path.
    """
    import OpenImageIO as oiio

    check_plain_file(path)
    if path.stat().st_size == 0:
        raise ValueError("empty file")
    config = oiio.ImageSpec()
    # Otherwise OpenImageIO multiplies straight alpha into the colours.
    config.attribute("oiio:UnassociatedAlpha", 1)
    source = oiio.ImageInput.open(utf8_name(path), config)
    if source is None:
        reason = reason_of(oiio.geterror(), path)
        _refuse_heif(path)
        raise ValueError(f"{reason}: not an image, or a damaged one")
    try:
        yield source
    finally:
        source.close()


def _refuse_heif(path: Path) -> None:
    """Raise ValueError if a file that cannot be opened is HEIC or AVIF."""
    with path.open("rb") as file:
        head = file.read(12)
    name = _HEIF_BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None
    if name:
        raise ValueError(
            f"the format {name}, which the installed package OpenImageIO cannot read, because it "
            "was built without libheif; convert the file to PNG or TIFF"
        )


def utf8_name(path: Path) -> str:
    """The path as OpenImageIO takes it: text whose UTF-8 bytes are those of the file's name.

    Raises:
        ValueError: if the bytes are not UTF-8.
    """
    try:
        # The same as str(path), unless Python decodes names as ASCII, as in the C locale.
        return os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("its name is not UTF-8; rename the file or its folder") from error


def writable_name(path: Path) -> str:
    """`utf8_name` of a file to write.

    Raises:
        OSError: if the bytes are not UTF-8; the message names the file.
    """
    try:
        return utf8_name(path)
    except ValueError as error:
        raise OSError(f"{path}: {error}") from error


def reason_of(error: str, path: Path) -> str:
    """The first line of OpenImageIO's error, without the file's name, and without colons, because
    in "name: reason" a colon ends the name."""
    line = (error.strip() or "no reason given").splitlines()[0]
    for name in (str(path), path.name):
        for form in (f' ("{name}")', f" ({name})", f'"{name}"', name):
            line = line.replace(form, "")
    return line.replace(": ", ", ").strip(" .?")
