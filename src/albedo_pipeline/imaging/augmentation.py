"""Random changes of a pair that keep its albedo true: geometry, light and noise.

All functions are pure: their random draws come from the generator that they are given.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate


@dataclass(frozen=True)
class Geometry:
    """Which part of an image is taken, and how it is turned."""

    top: int
    left: int
    """Upper left corner of the square window, pixels."""
    window: int
    """Side of the window, pixels."""
    side: int
    """Side of the result, pixels."""
    quarter_turns: int
    """Turns by 90 degrees, counterclockwise."""
    flipped: bool
    """Whether the result is flipped left to right, after the turn."""


def draw_geometry(
    random: np.random.Generator,
    height: int,
    width: int,
    crop: int,
    scale: tuple[float, float],
    turns: bool,
    flipped: bool,
) -> Geometry:
    """A random window of an image, log-uniform in its side and uniform in its place.

    A window that is larger than the image becomes as large as its shorter side.

    Args:
        crop: side of the result, pixels.
        scale: range of the window's side, as a factor of `crop`.
        turns: whether quarter turns are drawn.
        flipped: whether the result is flipped.
    """
    low, high = np.log(scale)
    window = min(round(crop * float(np.exp(random.uniform(low, high)))), height, width)
    top, left = (int(random.integers(side - window + 1)) for side in (height, width))
    return Geometry(top, left, window, crop, int(random.integers(4)) if turns else 0, flipped)


def place(linear: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Linear values or a mask, float32 [C, H, W] => [C, side, side].

    Resizing averages over the pixels that a new one covers. A mask of 1 and 0 stays 1 only where
    all of them are 1, up to rounding.
    """
    bottom, right = geometry.top + geometry.window, geometry.left + geometry.window
    part = linear[:, geometry.top : bottom, geometry.left : right]
    if geometry.window != geometry.side:
        size = (geometry.side, geometry.side)
        whole = torch.from_numpy(np.ascontiguousarray(part))[None]
        part = interpolate(whole, size, mode="bilinear", antialias=True)[0].numpy()
    turned = np.rot90(part, geometry.quarter_turns, axes=(1, 2))
    return np.ascontiguousarray(turned[..., ::-1] if geometry.flipped else turned)


def mix_lights(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """The light of two renders of one scene, added with the weights 1 - share and share; linear."""
    return (1 - np.float32(share)) * one + np.float32(share) * other


def relight(
    random: np.random.Generator,
    beauty: np.ndarray,
    exposure: float,
    light_colour: float,
    sensor_noise: float,
) -> np.ndarray:
    """Change strength and colour of the light, then add shot noise; clipped to [0, 1].

    Args:
        beauty: linear, float32 [3, H, W], in [0, 1].
        exposure: standard deviation of the gain of all channels, stops.
        light_colour: standard deviation of the gain of each channel, stops.
        sensor_noise: largest standard deviation of the noise at 1. It is drawn uniformly from 0 to
            this, and grows with the root of the light, as the noise of counted photons does.
    """
    stops = exposure * random.standard_normal() + light_colour * random.standard_normal(3)
    light = beauty * np.exp2(stops).astype(np.float32)[:, None, None]
    if sensor_noise:
        deviation = np.float32(sensor_noise * random.random()) * np.sqrt(np.maximum(light, 0))
        light = light + deviation * random.standard_normal(light.shape, dtype=np.float32)
    return np.clip(light, 0, 1)
