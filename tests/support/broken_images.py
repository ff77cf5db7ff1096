"""Image files with something wrong or unusual, made on the spot, for tests of any reader.

Every function writes one file and gives its path; parents must exist.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from PIL import Image


def noise(height: int = 64, width: int = 48, channels: int = 3) -> np.ndarray:
    """float32 [height, width, channels] in [0, 1), the same at every call."""
    return np.random.default_rng(7).random((height, width, channels), dtype=np.float32)


def image(
    path: Path,
    pixels: np.ndarray,
    channels: tuple[str, ...] = ("R", "G", "B"),
    origin: tuple[int, int] = (0, 0),
    display: tuple[int, int, int, int] | None = None,
    tile: int = 0,
    attributes: dict[str, str] | None = None,
) -> Path:
    """Any sound file: channel names, data window at (x, y), display (x, y, width, height)."""
    pixels = np.ascontiguousarray(pixels)
    names = {"float32": "float", "float16": "half", "uint32": "uint"}
    kind = names.get(pixels.dtype.name, pixels.dtype.name)
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    spec.channelnames = channels
    spec.x, spec.y = origin
    window = display or (0, 0, spec.width, spec.height)
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = window
    spec.tile_width = spec.tile_height = tile
    for name, value in (attributes or {}).items():
        spec.attribute(name, value)
    target = oiio.ImageOutput.create(str(path))
    assert target.open(str(path), spec), target.geterror()
    assert target.write_image(pixels), target.geterror()
    assert target.close()
    return path


def cut(path: Path, share: float = 0.6) -> Path:
    """A sound file of noise, in the format of the suffix, cut off behind `share` of its bytes."""
    image(path, noise() if path.suffix in (".exr", ".hdr") else codes())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def codes() -> np.ndarray:
    """The noise as uint8."""
    return (noise() * 255).astype(np.uint8)


def empty(path: Path) -> Path:
    """A file of no bytes."""
    path.write_bytes(b"")
    return path


def text(path: Path) -> Path:
    """Plain text under an image's name."""
    path.write_text("not an image\n", encoding="utf-8")
    return path


def png_with_wrong_crc(path: Path) -> Path:
    """A PNG whose last pixels' chunk has a wrong checksum."""
    content = bytearray(image(path, codes()).read_bytes())
    start = content.rindex(b"IDAT")
    length = struct.unpack(">I", content[start - 4 : start])[0]
    content[start + 4 + length] ^= 255
    path.write_bytes(content)
    return path


def jpeg_without_end(path: Path) -> Path:
    """A JPEG without its end-of-image marker."""
    path.write_bytes(image(path, codes()).read_bytes()[:-2])
    return path


def cmyk_jpeg(path: Path) -> Path:
    """A JPEG in CMYK."""
    Image.fromarray(codes()).convert("CMYK").save(path)
    return path


def cmyk_tiff(path: Path) -> Path:
    """A TIFF in CMYK."""
    Image.fromarray(codes()).convert("CMYK").save(path)
    return path


def grey(path: Path) -> Path:
    """One channel of 8 bits."""
    return image(path, codes()[..., :1], ("Y",))


def grey_alpha(path: Path) -> Path:
    """Grey and alpha of 8 bits."""
    return image(path, codes()[..., :2], ("Y", "A"))


def grey_16_bit(path: Path) -> Path:
    """One channel of 16 bits."""
    return image(path, codes()[..., :1].astype(np.uint16) * 257, ("Y",))


def odd_channels(path: Path) -> Path:
    """Ten EXR channels, none of them R, G or B."""
    return image(path, noise(channels=10), tuple(f"c{i}" for i in range(10)))


def multi_part(path: Path, parts: dict[str, tuple[np.ndarray, tuple[str, ...]]]) -> Path:
    """An EXR of several parts: name => pixels float32 [H, W, C] and channel names."""
    specs = []
    for name, (pixels, channels) in parts.items():
        spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], oiio.FLOAT)
        spec.channelnames = channels
        spec.attribute("oiio:subimagename", name)
        specs.append(spec)
    target = oiio.ImageOutput.create(str(path))
    assert target.open(str(path), tuple(specs)), target.geterror()
    for number, (pixels, _) in enumerate(parts.values()):
        assert number == 0 or target.open(str(path), specs[number], "AppendSubimage")
        assert target.write_image(np.ascontiguousarray(pixels)), target.geterror()
    assert target.close()
    return path


def huge_png(path: Path) -> Path:
    """A small PNG whose header claims 60000 x 60000 pixels."""
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    written = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(written))
    return path


def huge_hdr(path: Path) -> Path:
    """A small Radiance file whose header claims 60000 x 60000 pixels."""
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 60000 +X 60000\n" + bytes(400))
    return path


def huge_exr(path: Path) -> Path:
    """A small EXR whose header claims 60000 x 60000 pixels of half floats."""
    return exr_header(path, data=(59999, 59999), display=(59999, 59999))


def huge_display(path: Path) -> Path:
    """An EXR of 2 x 2 pixels on a display window of 60000 x 60000."""
    return exr_header(path, data=(1, 1), display=(59999, 59999))


def exr_header(path: Path, data: tuple[int, int], display: tuple[int, int]) -> Path:
    """An EXR without pixels, its windows reaching from (0, 0) to the given (x, y)."""
    channels = (
        b"".join(c + struct.pack("<xIBxxxII", 1, 0, 1, 1) for c in (b"B", b"G", b"R")) + b"\0"
    )
    attributes = [
        ("channels", "chlist", channels),
        ("compression", "compression", b"\0"),
        ("dataWindow", "box2i", struct.pack("<4i", 0, 0, *data)),
        ("displayWindow", "box2i", struct.pack("<4i", 0, 0, *display)),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    ]
    header = b"".join(
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value
        for name, kind, value in attributes
    )
    path.write_bytes(struct.pack("<II", 20000630, 2) + header + b"\0" + bytes(100))
    return path
