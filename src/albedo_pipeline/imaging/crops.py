"""Crops: which part of an image is stored, and at what size."""

import math
from dataclasses import dataclass

Shape = tuple[int, int]
"""Height and width, pixels."""


@dataclass(frozen=True)
class CropSettings:
    """Which crops of an image are stored."""

    shapes: list[Shape]
    """Stored sizes; each image takes the one whose aspect ratio is nearest to its own."""
    count: int = 1
    """Number of crops of each image."""
    share: float = 1.0
    """Size of a crop, as a share of the largest that fits."""
    max_enlargement: float = 2.0
    """Largest factor by which a crop may be enlarged; smaller images are refused."""


@dataclass(frozen=True)
class Box:
    """A part of an image, pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def rows(self) -> slice:
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        return slice(self.left, self.left + self.width)


def bucket_shapes(side: int, ratios: tuple[float, ...], multiple: int) -> list[Shape]:
    """One shape for each aspect ratio, with about side² pixels.

    Height and width are rounded to multiples of `multiple`, except for the ratio 1, whose shape is
    exactly (side, side). Equal shapes are returned once.

    Args:
        side: side of the square, pixels.
        ratios: width / height.
        multiple: what height and width are divisible by, pixels.
    """
    shapes: dict[Shape, None] = {}
    for ratio in ratios:
        if ratio == 1:
            shapes[side, side] = None
            continue
        exact = (side / math.sqrt(ratio), side * math.sqrt(ratio))
        height, width = (max(1, round(length / multiple)) * multiple for length in exact)
        shapes[height, width] = None
    return list(shapes)


def nearest_shape(height: int, width: int, shapes: list[Shape]) -> Shape:
    """The shape whose aspect ratio is nearest to that of an image."""
    return min(shapes, key=lambda s: abs(math.log(s[1] / s[0] * height / width)))


def crop_boxes(height: int, width: int, shape: Shape, count: int, share: float) -> list[Box]:
    """Boxes with the aspect ratio of `shape` in an image of `height` x `width`.

    The first box lies in the middle, the others are spread evenly. Equal boxes are returned once.

    Args:
        height: height of the image, in pixels.
        width: width of the image, in pixels.
        shape: gives the aspect ratio.
        count: number of boxes.
        share: size of the boxes, as a share of the largest box that fits, in (0, 1].
    """
    scale = share * min(height / shape[0], width / shape[1])
    sizes = zip(shape, (height, width), strict=True)
    box = [max(1, min(round(length * scale), most)) for length, most in sizes]
    free = (height - box[0], width - box[1])
    boxes = {
        Box(int(free[0] * down), int(free[1] * across), *box): None
        for down, across in map(_halton_point, range(count))
    }
    return list(boxes)


def _halton_point(number: int) -> tuple[float, float]:
    """Point `number` of the Halton sequence in bases 3 and 2, shifted by 0.5 modulo 1, so that
    point 0 is the middle of [0, 1)²."""
    down, across = ((_radical_inverse(number, base) + 0.5) % 1 for base in (3, 2))
    return down, across


def _radical_inverse(number: int, base: int) -> float:
    """The digits of `number` in `base`, mirrored at the point: Σ dₖ bᵏ => Σ dₖ b⁻ᵏ⁻¹."""
    result, digit = 0.0, 1 / base
    while number:
        number, rest = divmod(number, base)
        result, digit = result + rest * digit, digit / base
    return result
