"""Textures from noise: clouds, stains, marble, wood, and colours with the statistics of photos."""

import numpy as np

SIDE = 256
"""Width and height of a texture of the wide world, texels."""


def texel_centres() -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x [1, SIDE] and y [SIDE, 1] of the texel centres, in [0, 1)."""
    centre = (np.arange(SIDE) + 0.5) / SIDE
    return centre[None, :], centre[:, None]


def fractal_noise(
    rng: np.random.Generator, exponent: float, stretch: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray:
    """Periodic noise [SIDE, SIDE] of mean 0 and variance 1 whose amplitude is frequency^-exponent.

    Args:
        rng: source of all random draws.
        exponent: 0 is white noise, 1 has the spectrum of photographs, 2 is smooth.
        stretch: factors on the frequencies along x and y; the noise is longer where it is smaller.
    """
    fx = np.fft.rfftfreq(SIDE, 1 / SIDE)[None, :] * stretch[0]
    fy = np.fft.fftfreq(SIDE, 1 / SIDE)[:, None] * stretch[1]
    squared = fx**2 + fy**2
    squared[0, 0] = np.inf
    white = rng.standard_normal((SIDE, SIDE), np.float32)
    noise = np.fft.irfft2(np.fft.rfft2(white) * squared ** (-exponent / 2), (SIDE, SIDE))
    return noise / noise.std()


def ramp(value: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """`colours` [N, 3] interpolated at `value` in [0, 1]; values outside take the end colours."""
    position = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(value, position, channel) for channel in colours.T], axis=-1)


def plain(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """One colour, slightly uneven, as of paper or paint."""
    uneven = 1 + rng.uniform(0, 0.08) * fractal_noise(rng, rng.uniform(0, 1.5))
    return colours[0] * uneven[..., None]


def fractal(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Noise of many octaves in two to four colours, with soft to hard borders."""
    noise = fractal_noise(rng, rng.uniform(0.7, 2.0))
    return ramp(0.5 + rng.uniform(0.2, 2.0) * noise, colours[: rng.integers(2, 5)])


def islands(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Noise cut into areas of a few flat colours, like a map or camouflage."""
    level = np.floor(fractal_noise(rng, rng.uniform(1.3, 2.2)) * rng.uniform(0.7, 2.0)).astype(int)
    return colours[level % len(colours)]


def marble(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Thin veins along the zero lines of a noise, on a clouded ground."""
    ground = ramp(0.5 + 0.4 * fractal_noise(rng, 1.5), colours[:2])
    vein = np.exp(-np.abs(fractal_noise(rng, rng.uniform(1.2, 1.7))) * rng.uniform(8, 25))
    return ground + vein[..., None] * (colours[2] - ground)


def wood(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Planks with growth rings and fibres along x."""
    _, y = texel_centres()
    planks = int(rng.choice([1, 2, 4, 6, 8]))
    plank = np.floor(y * planks).astype(int)
    warp = fractal_noise(rng, 1.6, (1.0, 0.25)) * rng.uniform(0.3, 1.2)
    rings = (y * rng.uniform(6, 30) + warp + 3.7 * plank) % 1
    fibre = fractal_noise(rng, 0.8, (6.0, 0.3))
    value = 0.5 + rng.uniform(0.2, 0.6) * (rings - 0.5) + 0.15 * fibre
    tone = np.exp(rng.normal(0, 0.12, planks))[plank]
    gap = (y * planks % 1 < 0.03 * rng.random()) & (planks > 1)
    return ramp(value, colours[:2]) * np.where(gap, 0.4, tone)[..., None]


def photo_noise(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Areas of different mean colour, each with 1/f noise that is stronger in grey than in hue."""
    area = np.digitize(fractal_noise(rng, rng.uniform(1.5, 2.2)), [-0.6, 0.3, 1.0])
    tone = fractal_noise(rng, rng.uniform(0.8, 1.4))
    hue = np.stack([fractal_noise(rng, 1.3) for _ in range(3)], axis=-1)
    logarithm = rng.uniform(0.1, 0.6) * tone[..., None] + rng.uniform(0.03, 0.2) * hue
    return colours[area] * np.exp(logarithm)
