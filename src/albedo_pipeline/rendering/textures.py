"""Textures: linear reflectance [rows, columns, 3] that repeats without a seam.

All have low to medium frequencies: detail finer than a pixel would look like a plain colour.
"""

import numpy as np

from albedo_pipeline.rendering.colours import clip_to_albedo_range

SIDE = 64
"""Width and height of a texture, texels."""


def draw_texture(rng: np.random.Generator, palette: np.ndarray) -> np.ndarray:
    """A random texture in colours of `palette` [N, 3]."""
    pattern = PATTERNS[rng.integers(len(PATTERNS))]
    return pattern(rng, rng.permutation(palette)).astype(np.float32)


def _checker(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    x, y = _texel_centres()
    count = int(rng.choice([2, 4, 6]))
    return colours[(np.floor(x * count) + np.floor(y * count)).astype(int) % 2]


def _stripes(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Bands of two or three colours along an axis or a diagonal."""
    x, y = _texel_centres()
    count = int(rng.integers(2, 6))
    along = [x, y, (x + y) % 1][rng.integers(3)]
    return colours[np.floor(along * count * 3).astype(int) % rng.integers(2, 4)]


def _two_tone(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    _, y = _texel_centres()
    return colours[(y > rng.uniform(0.35, 0.65)).astype(int)]


def _spots(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    x, y = _texel_centres()
    image = np.tile(colours[0], (SIDE, SIDE, 1))
    for _ in range(rng.integers(4, 14)):
        dx, dy = (np.abs((axis - rng.random() + 0.5) % 1 - 0.5) for axis in (x, y))
        image[dx**2 + dy**2 < rng.uniform(0.05, 0.15) ** 2] = colours[rng.integers(1, 4)]
    return image


def _clouds(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Two colours mixed by smooth noise, with soft to almost hard borders."""
    mix = 1 / (1 + np.exp(-rng.uniform(1, 8) * _noise(rng, rng.uniform(1.5, 4.0))))
    return colours[0] + mix[..., None] * (colours[1] - colours[0])


def _marble(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Bands distorted by smooth noise, over a slow drift to a third colour."""
    x, y = _texel_centres()
    phase = x * rng.integers(1, 4) + y * rng.integers(0, 4) + 0.25 * _noise(rng, 2.5)
    veins = (0.5 + 0.5 * np.sin(2 * np.pi * phase))[..., None]
    drift = (0.5 + 0.5 * np.tanh(_noise(rng, 1.5)))[..., None]
    ground = colours[0] + drift * (colours[2] - colours[0])
    return clip_to_albedo_range(ground + veins * (colours[1] - ground))


def _noise(rng: np.random.Generator, cycles: float) -> np.ndarray:
    """Periodic Gaussian noise [SIDE, SIDE] of unit variance, with about `cycles` blobs per side."""
    frequency = np.fft.fftfreq(SIDE, 1 / SIDE)
    squared = frequency[:, None] ** 2 + frequency[None, :] ** 2
    spectrum = np.fft.fft2(rng.standard_normal((SIDE, SIDE))) * np.exp(-squared / cycles**2)
    spectrum[0, 0] = 0
    noise = np.fft.ifft2(spectrum).real
    return noise / noise.std()


def _texel_centres() -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x and y of the texel centres in [0, 1), each [SIDE, SIDE]."""
    centre = (np.arange(SIDE) + 0.5) / SIDE
    return np.broadcast_to(centre[None, :], (SIDE, SIDE)), np.broadcast_to(
        centre[:, None], (SIDE, SIDE)
    )


PATTERNS = [_checker, _stripes, _two_tone, _spots, _clouds, _clouds, _marble]
"""Patterns with equal probability; `_clouds` is listed twice to be drawn twice as often."""
