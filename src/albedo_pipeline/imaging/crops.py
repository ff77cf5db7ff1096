"""Which part of a picture is stored, and at what size."""

import math
from dataclasses import dataclass

Shape = tuple[int, int]
"""Height and width, pixels."""


@dataclass(frozen=True)
class Box:
    """A part of a picture, pixels."""

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
    """A shape for each ratio of width to height, of about side² pixels, in whole multiples.

    Equal shapes are given once; a square is exactly `side` wide, whatever the multiple.
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
    """The shape whose ratio comes closest to the picture's."""
    return min(shapes, key=lambda s: abs(math.log(s[1] / s[0] * height / width)))


def crop_boxes(height: int, width: int, shape: Shape, count: int, share: float) -> list[Box]:
    """Boxes of the ratio of `shape` in a picture: the first in the middle, the others spread.

    Args:
        share: their size, as a share of the largest box that fits, in (0, 1].
    """
    scale = share * min(height / shape[0], width / shape[1])
    sizes = zip(shape, (height, width), strict=True)
    box = [max(1, min(round(length * scale), most)) for length, most in sizes]
    free = (height - box[0], width - box[1])
    boxes = {
        Box(int(free[0] * across), int(free[1] * along), *box): None
        for across, along in map(_place, range(count))
    }
    return list(boxes)


def _place(number: int) -> tuple[float, float]:
    """Point `number` of a Halton sequence, moved so that it begins in the middle of [0, 1]²."""
    across, along = ((_radical_inverse(number, base) + 0.5) % 1 for base in (3, 2))
    return across, along


def _radical_inverse(number: int, base: int) -> float:
    result, digit = 0.0, 1 / base
    while number:
        number, rest = divmod(number, base)
        result, digit = result + rest * digit, digit / base
    return result
