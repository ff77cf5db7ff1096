"""Shots: where a sequence cuts from one view to another, and the one exposure of each shot.

A cut is a change between two frames that is large by itself and much larger than those around it:

    d(t) > CHANGE   and   d(t) > RATIO · the largest d of the two frames before and the two after

d(t) is the mean absolute difference of two small, sRGB-encoded frames, both under the geometric
mean of their exposures. The ratio keeps fast cameras and flashes from counting as cuts, as in
PySceneDetect's adaptive detector, which compares with the mean instead.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.image import Image, linear_rows
from albedo_pipeline.imaging.io.read import ColourImage
from albedo_pipeline.imaging.resize import resize_rows
from albedo_pipeline.inference.user_images import exposure_of
from albedo_pipeline.params import PredictParams

CHANGE = 0.1
"""Mean difference of two frames from which they may be two shots; the range is 1."""
RATIO = 2.0
"""How many times the difference at a cut is larger than any of those around it."""
_WINDOW = 2
"""Number of differences before and after one that it is compared with."""
_SIDE = 32
"""Height and width of the small frames, pixels."""


@dataclass(frozen=True)
class FrameFacts:
    """What is measured of a frame before any frame is predicted."""

    size: tuple[int, int]
    """Height and width in pixels."""
    exposure: float | None
    """The factor that the frame alone would get; None for a black one."""
    small: np.ndarray
    """float32 [32, 32, 3], linear Rec.709, not exposed."""


@dataclass(frozen=True)
class FramePlan:
    """How a frame is read."""

    shot: int
    """Number of its shot, from 1."""
    exposure: float
    """The factor of its shot."""


def frame_facts(image: ColourImage, params: PredictParams) -> FrameFacts:
    """Measure a frame."""
    as_stored = Image(image.pixels, image.space, image.type, image.notes)
    usable = np.isfinite(image.pixels).all(axis=-1) & (image.pixels >= 0).all(axis=-1)
    height, width = image.pixels.shape[:2]
    small = resize_rows(linear_rows(as_stored, usable), (height, width, 3), _SIDE, _SIDE)
    return FrameFacts((height, width), exposure_of(image, params), small)


def plan_frames(frames: list[FrameFacts | None]) -> list[FramePlan]:
    """Number and exposure of each frame's shot.

    The exposure of a shot is the median of what its frames would get alone, which neither a black
    frame nor a light that is seen for a moment changes. A shot of black frames only has 1.

    Args:
        frames: facts about the frames, in order; None for one that cannot be read, which is taken
            as part of the shot before it.
    """
    known = [(number, facts) for number, facts in enumerate(frames) if facts is not None]
    starts = {known[i][0] for i in cuts([facts for _, facts in known])}
    shots = np.cumsum([number in starts for number in range(len(frames))]) + 1
    plans = []
    for number, shot in enumerate(shots):
        own = [f.exposure for i, f in known if shots[i] == shot and f.exposure is not None]
        plans.append(FramePlan(int(shots[number]), float(np.median(own)) if own else 1.0))
    return plans


def cuts(frames: list[FrameFacts]) -> list[int]:
    """Places of the frames that begin a new shot; the first frame is none of them."""
    changes = np.array([_change(before, after) for before, after in pairwise(frames)])
    found = []
    for i, change in enumerate(changes):
        around = np.concatenate([changes[max(0, i - _WINDOW) : i], changes[i + 1 :][:_WINDOW]])
        if change > CHANGE and change > RATIO * around.max(initial=0.0):
            found.append(i + 1)
    return found


def _change(before: FrameFacts, after: FrameFacts) -> float:
    exposures = [f.exposure for f in (before, after) if f.exposure is not None]
    factor = np.float32(np.exp(np.mean(np.log(exposures)))) if exposures else np.float32(1)
    encoded = [encode_srgb(np.clip(f.small * factor, 0, 1)) for f in (before, after)]
    return float(np.abs(encoded[1] - encoded[0]).mean())
