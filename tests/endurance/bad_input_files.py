"""The files of the bad and unusual pairs: each function writes one pair into a folder of its own.

They give the names of beauty, albedo and mask, relative to the folder's parent, as a list has them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import numpy as np

from tests.support import broken_images as broken

SIDE = 16
"""Pixels; what is ingested has this resolution, so that pixels are stored as they come."""
BEAUTY = broken.noise(SIDE, SIDE)
ALBEDO = 0.05 + 0.8 * BEAUTY[::-1]
CODES = (BEAUTY * 255).astype(np.uint8)
RED = ("R", "G", "B")
LARGE = 1536
"""Pixels; a picture of this side takes long enough to read for another thread to change it."""

Names = tuple[str, str, str]
Make = Callable[[Path], Names]


@dataclass(frozen=True)
class Stored:
    """What is to be stored of a pair: linear, the beauty before its exposure."""

    beauty: np.ndarray = field(default_factory=lambda: BEAUTY)
    albedo: np.ndarray = field(default_factory=lambda: ALBEDO)
    valid: np.ndarray = field(default_factory=lambda: np.ones((SIDE, SIDE), bool))


@dataclass(frozen=True)
class Case:
    """A pair of the list."""

    kind: str
    """Names the pair's folder, too."""
    what: str
    make: Make
    reason: str | None = None
    """Pattern of the complete reason in the quarantine; None if the pair is used."""
    stored: Stored = field(default_factory=Stored)
    record: dict[str, float] = field(default_factory=dict)
    """Columns of the audit that tell of it."""


def pair(
    beauty: np.ndarray = BEAUTY, albedo: np.ndarray = ALBEDO, mask: np.ndarray | None = None
) -> Make:
    """A pair of sound EXR files with these pixels."""

    def make(folder: Path) -> Names:
        shown = np.ones((*beauty.shape[:2], 1), np.float32) if mask is None else mask
        broken.image(folder / "beauty.exr", beauty)
        broken.image(folder / "albedo.exr", albedo)
        broken.image(folder / "mask.exr", shown, ("Y",))
        return tuple(f"{folder.name}/{kind}.exr" for kind in ("beauty", "albedo", "mask"))

    return make


def with_beauty(name: str, write: Callable[[Path], object]) -> Make:
    """A valid pair with this beauty file."""

    def make(folder: Path) -> Names:
        _, albedo, mask = pair()(folder)
        (folder / "beauty.exr").unlink()
        write(folder / name)
        return f"{folder.name}/{name}", albedo, mask

    return make


def sized(height: int, width: int) -> Make:
    """A sound pair of another size."""
    return pair(broken.noise(height, width), broken.noise(height, width))


def named(beauty: str, albedo: str) -> Make:
    """A sound pair under other names, in the same folder."""

    def make(folder: Path) -> Names:
        for old, new in zip(pair()(folder), (beauty, albedo), strict=False):
            (folder.parent / old).rename(folder / new)
        return f"{folder.name}/{beauty}", f"{folder.name}/{albedo}", f"{folder.name}/mask.exr"

    return make


def missing(folder: Path) -> Names:
    """A pair whose albedo is not there."""
    names = pair()(folder)
    (folder / "albedo.exr").unlink()
    return names


def long_name(folder: Path) -> Names:
    """A pair whose albedo has a name that no file can have."""
    beauty, _, mask = pair()(folder)
    return beauty, f"{folder.name}/{'a' * 300}.exr", mask


def in_place_of_albedo(put: Callable[[Path], object]) -> Make:
    """A pair with something else where its albedo should be."""

    def make(folder: Path) -> Names:
        names = missing(folder)
        put(folder / "albedo.exr")
        return names

    return make


def absolute(folder: Path) -> Names:
    """A pair whose albedo has an absolute name, though it lies where it should."""
    beauty, albedo, mask = pair()(folder)
    return beauty, str((folder.parent / albedo).resolve()), mask


def dotted(folder: Path) -> Names:
    """A pair whose albedo lies outside the list's folder, and is there."""
    names = pair()(folder)
    outside = folder.parent.parent / f"{folder.name}.exr"
    (folder / "albedo.exr").rename(outside)
    return names[0], f"{folder.name}/../../{outside.name}", names[2]


def linked_out(folder: Path) -> Names:
    """A pair whose albedo is a link to a file outside the list's folder."""
    names = pair()(folder)
    outside = folder.parent.parent / f"{folder.name}.exr"
    (folder / "albedo.exr").rename(outside)
    (folder / "albedo.exr").symlink_to(outside)
    return names


def linked_folder(folder: Path) -> Names:
    """A pair in a folder that is a link to one outside the list's folder."""
    outside = folder.parent.parent / f"{folder.name}-outside"
    folder.rename(outside)
    folder.symlink_to(outside)
    return pair()(folder)


def linked_inside(folder: Path) -> Names:
    """A pair whose albedo is a link to a file beside it."""
    names = pair()(folder)
    (folder / "albedo.exr").rename(folder / "original.exr")
    (folder / "albedo.exr").symlink_to("original.exr")
    return names


def large(folder: Path) -> Names:
    """A pair whose albedo takes some time to read."""
    names = pair(broken.noise(LARGE, LARGE))(folder)
    pixels = np.full((LARGE, LARGE, 3), 0.5, np.float32)
    broken.image(folder / "albedo.exr", pixels, attributes={"compression": "none"})
    return names


def window(origin: tuple[int, int], size: tuple[int, int]) -> Callable[[Path], Path]:
    """Writes an EXR whose data window is not its display window of `SIDE` x `SIDE`."""
    display = (0, 0, SIDE, SIDE)
    return lambda path: broken.image(path, broken.noise(*size), origin=origin, display=display)


def shown(origin: tuple[int, int], size: tuple[int, int]) -> Stored:
    """What `window` shows, and where."""
    beauty, valid = np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE), bool)
    rows, columns = np.arange(size[0]) + origin[1], np.arange(size[1]) + origin[0]
    kept = np.ix_((rows >= 0) & (rows < SIDE), (columns >= 0) & (columns < SIDE))
    place = np.ix_(rows[kept[0][:, 0]], columns[kept[1][0]])
    beauty[place], valid[place] = broken.noise(*size)[kept], True
    return Stored(beauty, valid=valid)


def changed(image: np.ndarray, where: tuple, value: float) -> np.ndarray:
    """A copy in which some values are others."""
    image = image.copy()
    image[where] = value
    return image


def parts(*names: str) -> Callable[[Path], Path]:
    """Writes an EXR of several parts; those named rgb… are in colour."""

    def content(name: str) -> tuple[np.ndarray, tuple[str, ...]]:
        return (BEAUTY, RED) if name.startswith("rgb") else (BEAUTY[..., :1], ("Z",))

    return lambda path: broken.multi_part(path, {name: content(name) for name in names})


def masked(*places: tuple) -> np.ndarray:
    """A mask that is false at these places and true elsewhere."""
    valid = np.ones((SIDE, SIDE), bool)
    for place in places:
        valid[place] = False
    return valid


@contextmanager
def rewritten(path: Path) -> Iterator[None]:
    """Rewrite the file repeatedly in a thread; each time it is one byte longer."""
    start, stop = path.read_bytes()[:4096], Event()

    def write() -> None:
        with path.open("r+b", buffering=0) as file:
            while not stop.wait(1e-4):
                file.seek(0)
                file.write(start)
                file.seek(0, 2)
                file.write(b"\0")

    thread = Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
