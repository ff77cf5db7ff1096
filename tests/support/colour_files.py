"""Image files with colour tags, made on the spot: ICC profiles, PNG chunks, log-encoded files."""

import struct
import zlib
from pathlib import Path

import numpy as np

D65_PRIMARIES = {
    "Rec.709": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329),
    "P3": (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329),
    "Adobe RGB": (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.329),
}
"""x and y of red, green, blue and white."""
_D50 = (0.9642, 1.0, 0.8249)


def _fixed(values: tuple[float, ...]) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(values)


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def _srgb_curve() -> bytes:
    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + _fixed(numbers)


def _profile(name: str, space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2.4 whose connection space is XYZ."""
    text = name.encode() + b"\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    common = {b"desc": description, b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(_D50)}
    table, data, tags = b"", b"", common | tags
    for key, value in tags.items():
        start = 132 + 12 * len(tags) + len(data)
        table += key + struct.pack(">II", start, len(value))
        data += value + bytes(-len(value) % 4)
    size = 132 + len(table) + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def _rgb_profile(name: str, colorants: list[tuple[float, ...]], curve: bytes) -> bytes:
    """Matrix and curves; the colorants are XYZ, adapted to D50, as the published profiles have."""
    keys = (b"rXYZ", b"gXYZ", b"bXYZ")
    tags = {key: _xyz(values) for key, values in zip(keys, colorants, strict=True)}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _profile(name, b"RGB ", tags | curves)


_REC709 = [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141)]
_P3 = [(0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)]
_ADOBE = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
SRGB = _rgb_profile("sRGB", _REC709, _srgb_curve())
DISPLAY_P3 = _rgb_profile("Display P3", _P3, _srgb_curve())
ADOBE_RGB = _rgb_profile("Adobe RGB (1998)", _ADOBE, _curve(563 / 256))
LINEAR_REC709 = _rgb_profile("linear Rec.709", _REC709, _curve(1))
GREY_GAMMA_18 = _profile("Gray Gamma 1.8", b"GRAY", {b"kTRC": _curve(1.8)})


def _table_profile(name: str, space: bytes, corners: np.ndarray) -> bytes:
    """A profile that is one table: PCS Lab, at the corners of the cube of the device's colours.

    Args:
        name: description.
        space: signature of the device's colours, `RGB ` or `CMYK`.
        corners: uint8 [2, 2, …, 3], L* × 2.55, a* + 128 and b* + 128, of n channels.
    """
    channels = corners.ndim - 1
    body = b"mft1\0\0\0\0" + bytes((channels, 3, 2, 0)) + _fixed((1, 0, 0, 0, 1, 0, 0, 0, 1))
    identity = bytes(range(256))
    body += identity * channels + corners.astype(np.uint8).tobytes() + identity * 3
    profile = bytearray(_profile(name, space, {b"A2B0": body}))
    profile[20:24] = b"Lab "
    return bytes(profile)


def cmyk_profile() -> bytes:
    """An ideal printer: inks of the colours below, whose mixtures multiply in lightness."""
    c, m, y, k = np.meshgrid(*[[0, 1]] * 4, indexing="ij")
    lightness = 255 * (1 - 0.4 * c) * (1 - 0.5 * m) * (1 - 0.1 * y) * (1 - 0.9 * k)
    ink = 1 - k
    a = 128 + ink * (-35 * c + 75 * m - 5 * y)
    b = 128 + ink * (-50 * c - 5 * m + 90 * y)
    return _table_profile("ideal inks", b"CMYK", np.stack([lightness, a, b], -1).clip(0, 255))


def rgb_table_profile() -> bytes:
    """RGB whose colours are given by a table, which OpenColorIO cannot read."""
    r, g, b = np.meshgrid(*[[0, 1]] * 3, indexing="ij")
    lightness, a = 255 * (0.3 * r + 0.6 * g + 0.1 * b), 128 + 60 * (r - g)
    values = np.stack([lightness, a, 128 + 60 * (0.5 * r + 0.5 * g - b)], -1)
    return _table_profile("a table", b"RGB ", values)


def png(path: Path, pixels: np.ndarray, chunks: dict[bytes, bytes]) -> Path:
    """A PNG with chunks before its pixels, uint8 or uint16 [H, W, 3]."""
    height, width, _ = pixels.shape
    bits = 8 * pixels.dtype.itemsize
    rows = [b"\0" + row.astype(pixels.dtype.newbyteorder(">")).tobytes() for row in pixels]
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks.items(), (b"IDAT", zlib.compress(b"".join(rows)))]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*p) for p in [*parts, (b"IEND", b"")]))
    return path


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def gama(gamma: float) -> dict[bytes, bytes]:
    """The chunk gAMA; `gamma` is what the file's exponent is multiplied by to give 1."""
    return {b"gAMA": struct.pack(">I", round(gamma * 1e5))}


def chrm(primaries: str) -> dict[bytes, bytes]:
    """The chunk cHRM, in which white comes first."""
    values = D65_PRIMARIES[primaries]
    return {b"cHRM": struct.pack(">8I", *(round(v * 1e5) for v in (*values[6:], *values[:6])))}


def cineon(path: Path) -> Path:
    """A Cineon file of 6 x 4 black pixels, 10 bits."""
    head = bytearray(2048)
    struct.pack_into(">6I4s", head, 0, 0x802A5FD7, 2048, 1024, 1024, 0, 2048 + 96, b"V4.5")
    head[193] = 3
    for channel in range(3):
        struct.pack_into(">4B2I", head, 196 + 28 * channel, 0, channel + 1, 10, 0, 6, 4)
    path.write_bytes(bytes(head) + bytes(96))
    return path


def heif(path: Path, brand: bytes) -> Path:
    """The beginning of a HEIC or AVIF file."""
    path.write_bytes(struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + b"mif1miaf" + bytes(64))
    return path
