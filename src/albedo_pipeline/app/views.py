"""Pictures of a prediction for the screen."""

from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from albedo_pipeline.artifacts.user_results import (
    BRIGHTEST_UNCERTAINTY,
    UserPrediction,
    reduced,
    reduced_beauty,
    to_srgb8,
)
from albedo_pipeline.imaging.colormap import coloured
from albedo_pipeline.imaging.colour import decode_srgb

View = Literal["Beauty", "Albedo", "Relit albedo", "Implied shading", "Uncertainty"]
VIEWS: tuple[View, ...] = get_args(View)
_SIDE = 1280
"""Longer side of the pictures, pixels."""
_SMALL = 480
"""Pictures with a shorter longer side are enlarged by a whole number, at least to this, pixels."""
_DARKEST = 0.02
"""Albedo that the shading is divided by at least: below it the quotient is mostly noise."""
_WHITE = 0.98
"""Quantile of the shading that is shown as white."""


@dataclass(frozen=True)
class Light:
    """A light of one colour that shines evenly on everything."""

    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Linear Rec.709, in [0, 1]."""
    stops: float = 0.0
    """Intensity in photographic stops: 1 is twice as bright, -1 half."""

    @classmethod
    def picked(cls, colour: str, stops: float) -> Self:
        """The light of a colour picker, which gives `#rrggbb` or `rgba(r, g, b, a)`."""
        if colour.startswith("#"):
            digits = [float(int(colour[i : i + 2], 16)) for i in (1, 3, 5)]
        else:
            digits = [float(n) for n in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        red, green, blue = decode_srgb(np.clip(np.array(digits) / 255, 0, 1)).tolist()
        return cls((red, green, blue), stops)


@dataclass(frozen=True)
class Preview:
    """A prediction at the size of the screen; float32 [h, w, 3], linear Rec.709."""

    beauty: np.ndarray
    albedo: np.ndarray
    uncertainty: np.ndarray | None
    """Mean over the channels, [h, w]; None without an ensemble."""

    @classmethod
    def of(cls, prediction: UserPrediction) -> Self:
        """Reduce a prediction so that its longer side has at most 1280 pixels."""
        spread = prediction.uncertainty
        return cls(
            reduced_beauty(prediction, _SIDE),
            reduced(prediction.albedo, _SIDE),
            None if spread is None else reduced(spread, _SIDE).mean(axis=-1),
        )

    @property
    def views(self) -> list[View]:
        """What can be shown of it."""
        return [view for view in VIEWS if view != "Uncertainty" or self.uncertainty is not None]


def picture(preview: Preview, view: View, light: Light) -> np.ndarray:
    """One view of a prediction, uint8 [H, W, 3], sRGB-encoded.

    Raises:
        ValueError: if the prediction has no such view.
    """
    shown = _view(preview, view, light)
    repeats = -(-_SMALL // max(shown.shape[:2]))
    return shown.repeat(repeats, axis=0).repeat(repeats, axis=1)


def _view(preview: Preview, view: View, light: Light) -> np.ndarray:
    if view == "Beauty":
        return to_srgb8(preview.beauty)
    if view == "Albedo":
        return to_srgb8(preview.albedo)
    if view == "Relit albedo":
        return to_srgb8(preview.albedo * np.array(light.colour, np.float32) * 2**light.stops)
    if view == "Implied shading":
        return to_srgb8(shading(preview.beauty, preview.albedo))
    if preview.uncertainty is None:
        raise ValueError("there is no uncertainty without an ensemble; set members to 2 or more")
    return overlay(to_srgb8(preview.albedo), preview.uncertainty)


def shading(beauty: np.ndarray, albedo: np.ndarray) -> np.ndarray:
    """Beauty / albedo, both linear [h, w, 3]; scaled so that its 98 % quantile is 1."""
    quotient = beauty / np.maximum(albedo, _DARKEST)
    white = float(np.quantile(quotient, _WHITE))
    return quotient / white if white > 0 else quotient


def overlay(picture: np.ndarray, uncertainty: np.ndarray) -> np.ndarray:
    """Paint the uncertainty [h, w] over a picture, uint8 [h, w, 3]; where it is 0 nothing changes.

    From `BRIGHTEST_UNCERTAINTY` on the colour is opaque.
    """
    share = np.clip(uncertainty / BRIGHTEST_UNCERTAINTY, 0, 1)
    mixed = picture + share[..., None] * (coloured(share).astype(np.float32) - picture)
    return np.rint(mixed).astype(np.uint8)
