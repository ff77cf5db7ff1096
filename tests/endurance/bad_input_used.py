"""The table of pairs that are unusual but used, and what is stored of them."""

import numpy as np

from tests.endurance import bad_input_files as files
from tests.endurance.bad_input_files import (
    ALBEDO,
    BEAUTY,
    CODES,
    RED,
    SIDE,
    Case,
    Stored,
    with_beauty,
)
from tests.support import broken_images as broken

TOP = (slice(0, 4), slice(None))
"""A quarter of a picture's pixels."""
OVERSCAN, CROPPED = ((-2, -1), (20, 22)), ((3, 4), (8, 10))
"""Origin (x, y) and size (height, width) of data windows."""


def _codes(channels: int) -> np.ndarray:
    """8-bit noise whose last channel, of four, is opaque but for the top."""
    codes = np.concatenate([CODES, np.full((SIDE, SIDE, 1), 255, np.uint8)], axis=-1)
    codes[TOP][..., 3] = 0
    return codes[..., :channels]


USED = [
    Case(
        "rgba",
        "RGBA, a quarter transparent",
        with_beauty("a.png", lambda path: broken.image(path, _codes(4), (*RED, "A"))),
        stored=Stored(CODES / np.float32(255), valid=files.masked(TOP)),
        record={"valid_share": 0.75},
    ),
    Case(
        "shuffled",
        "EXR with channels b, g, r",
        with_beauty("a.exr", lambda path: broken.image(path, BEAUTY[..., ::-1], ("b", "g", "r"))),
    ),
    Case(
        "overscan",
        "EXR with overscan",
        with_beauty("a.exr", files.window(*OVERSCAN)),
        stored=files.shown(*OVERSCAN),
        record={"valid_share": 1},
    ),
    Case(
        "cropped",
        "EXR of a cropped render",
        with_beauty("a.exr", files.window(*CROPPED)),
        stored=files.shown(*CROPPED),
        record={"valid_share": 80 / 256},
    ),
    Case(
        "tiled",
        "EXR in tiles",
        with_beauty("a.exr", lambda path: broken.image(path, BEAUTY, tile=16)),
    ),
    Case(
        "multi-part",
        "EXR of two parts, one in colour",
        with_beauty("a.exr", files.parts("depth", "rgb")),
    ),
    Case(
        "nan",
        "NaN in the beauty",
        files.pair(files.changed(BEAUTY, (*TOP, 1), np.nan)),
        stored=Stored(valid=files.masked(TOP)),
        record={"nonfinite_share": 0.25, "negative_share": 0},
    ),
    Case(
        "infinite",
        "infinity in the albedo",
        files.pair(albedo=files.changed(ALBEDO, (*TOP, 1), np.inf)),
        stored=Stored(valid=files.masked(TOP)),
        record={"nonfinite_share": 0.25, "negative_share": 0},
    ),
    Case(
        "negative",
        "negatives in the albedo",
        files.pair(albedo=files.changed(ALBEDO, (*TOP, 1), -0.1)),
        stored=Stored(valid=files.masked(TOP)),
        record={"nonfinite_share": 0, "negative_share": 0.25},
    ),
    Case(
        "bright-albedo",
        "albedo of 2, a quarter",
        files.pair(albedo=files.changed(ALBEDO, TOP, 2)),
        stored=Stored(albedo=files.changed(ALBEDO, TOP, 1)),
        record={"albedo_clipped_share": 0.25, "valid_share": 1},
    ),
    Case("spaces", "names with spaces", files.named(" my  beauty .exr", "my albedo.exr")),
    Case("unicode", "names in Unicode", files.named("Mo\u0308bel 椅子 ☀.exr", "Möbel\u2028.exr")),
    Case("quotes", "names with quotes", files.named('"it\'s" so.exr', '#"1".exr')),
    Case("linked-inside", "link to a file inside", files.linked_inside),
    Case("lone", "group of one sample", files.pair()),
]

GOOD = [
    Case(f"good-{n:02}", "sound pair", files.pair(), record={"valid_share": 1}) for n in range(30)
]
