"""Textures of overlapping shapes: collages, leaves, pebbles, cells, and pictures."""

import numpy as np

from albedo_pipeline.rendering.wide.noise_patterns import SIDE, fractal_noise, ramp, texel_centres


def dead_leaves(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Discs and rectangles of many sizes that hide each other, as objects in photographs do.

    The radii have a density of r^-3 (Lee, Mumford and Huang 2001, "Occlusion models for natural
    images").
    """
    count = int(rng.integers(100, 350))
    smallest = rng.uniform(0.012, 0.05)
    radius = np.minimum(smallest / np.sqrt(rng.random(count)), 0.3)
    slender = np.where(rng.random(count) < 0.5, 1.0, rng.uniform(0.3, 1.0, count))
    return _painted(rng, colours, radius, slender, round_share=rng.random())


def strokes(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Many slender ellipses: grass, straw, fur or leaves."""
    count = int(rng.integers(250, 500))
    radius = rng.uniform(0.02, 0.07) * rng.uniform(0.6, 1.4, count)
    slender = np.full(count, rng.uniform(0.12, 0.5))
    return _painted(rng, colours[:4], radius, slender, round_share=1.0)


def _painted(
    rng: np.random.Generator,
    colours: np.ndarray,
    radius: np.ndarray,
    slender: np.ndarray,
    round_share: float,
) -> np.ndarray:
    """Shapes of half-lengths `radius` [N] and widths radius * `slender`, the last one on top."""
    image = np.broadcast_to(colours[0], (SIDE, SIDE, 3)).copy()
    count = len(radius)
    centre = rng.integers(SIDE, size=(count, 2))
    angle = rng.uniform(0, np.pi, count)
    is_round = rng.random(count) < round_share
    tone = np.exp(rng.normal(0, 0.15, count))
    fill = colours[rng.integers(len(colours), size=count)] * tone[:, None]
    for i in range(count):
        reach = int(np.ceil(radius[i] * SIDE * (1.0 if is_round[i] else 1.42)))
        offset = np.arange(-reach, reach + 1)
        cosine, sine = np.cos(angle[i]), np.sin(angle[i])
        u = (cosine * offset[None, :] + sine * offset[:, None]) / (radius[i] * SIDE)
        v = (cosine * offset[:, None] - sine * offset[None, :]) / (radius[i] * SIDE * slender[i])
        inside = u * u + v * v < 1 if is_round[i] else np.maximum(np.abs(u), np.abs(v)) < 1
        rows, columns = np.nonzero(inside)
        rows, columns = (
            (rows + centre[i, 0] - reach) % SIDE,
            (columns + centre[i, 1] - reach) % SIDE,
        )
        image[rows, columns] = fill[i]
    return image


def cells(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Voronoi cells, such as cobbles, leather or terrazzo, perhaps with joints between them."""
    count = int(rng.integers(10, 70))
    x, y = texel_centres()
    first, second = np.full((2, SIDE, SIDE), np.inf, np.float32)
    nearest = np.zeros((SIDE, SIDE), int)
    for index, (px, py) in enumerate(rng.random((count, 2))):
        dx, dy = (x - px + 0.5) % 1 - 0.5, (y - py + 0.5) % 1 - 0.5
        distance = np.sqrt(dx * dx + dy * dy).astype(np.float32)
        nearer = distance < first
        second = np.where(nearer, first, np.minimum(second, distance))
        first = np.where(nearer, distance, first)
        nearest[nearer] = index
    tone = np.exp(rng.normal(0, rng.uniform(0, 0.3), (count, 1)))
    fill = colours[rng.integers(1, rng.integers(2, 8), size=count)] * tone
    joint = second - first < rng.choice([0.0, 0.1, 0.25]) / np.sqrt(count)
    return np.where(joint[..., None], colours[0], fill[nearest])


def picture(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """A poster: a gradient or noise, with polygons and discs in colours or gradients on top."""
    x, y = texel_centres()
    slope = rng.normal(size=2)
    gradient = 0.5 + 0.5 * (slope[0] * (x - 0.5) + slope[1] * (y - 0.5))
    image = ramp(gradient + rng.choice([0, 0.2]) * fractal_noise(rng, 1.5), colours[:3])
    for _ in range(rng.integers(3, 16)):
        centre, size = rng.random(2), rng.uniform(0.05, 0.35)
        dx, dy = x - centre[0], y - centre[1]
        if rng.random() < 0.3:
            inside = np.hypot(dx, dy) < size
        else:
            sides = int(rng.integers(3, 6))
            angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(sides) / sides
            reach = size * rng.uniform(0.4, 1, sides)
            inside = np.ones((SIDE, SIDE), bool)
            for a, r in zip(angle, reach, strict=True):
                inside &= np.cos(a) * dx + np.sin(a) * dy < r
        first, second = colours[rng.integers(len(colours), size=2)]
        blend = np.clip(0.5 + dx / size, 0, 1)[..., None] * rng.integers(2)
        image = np.where(inside[..., None], first + blend * (second - first), image)
    return image
