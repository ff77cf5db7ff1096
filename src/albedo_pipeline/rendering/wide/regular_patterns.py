"""Textures that people make: bricks, tiles, fabric, stripes, dots, and writing."""

import numpy as np

from albedo_pipeline.rendering.wide.noise_patterns import SIDE, fractal_noise, texel_centres


def bricks(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Rows of bricks or slabs of slightly different colours, with mortar."""
    x, y = texel_centres()
    rows, columns = int(rng.choice([4, 6, 8, 12, 16])), int(rng.choice([2, 3, 4, 6]))
    row = np.floor(y * rows).astype(int)
    along = x * columns + row * rng.choice([0.5, 0.25]) % 1
    column = np.floor(along).astype(int) % columns
    joint = rng.uniform(0.03, 0.15)
    mortar = ((y * rows) % 1 < joint) | ((along % 1) * rows < joint * columns)
    mix = rng.random((rows, columns, 1)) * rng.uniform(0.2, 1)
    tone = np.exp(rng.normal(0, rng.uniform(0.05, 0.3), (rows, columns, 1)))
    brick = (colours[0] + mix * (colours[1] - colours[0])) * tone
    grain = 1 + 0.12 * fractal_noise(rng, 0.7)
    return np.where(mortar[..., None], colours[2], brick[row, column]) * grain[..., None]


def tiles(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Square tiles with grout: plain, halved diagonally, or with a disc or a quarter ring."""
    x, y = texel_centres()
    count = int(rng.choice([2, 3, 4, 6, 8, 12]))
    column, row = (np.floor(axis * count).astype(int) for axis in (x, y))
    turn = rng.integers(2, size=(count, count, 2))[row, column]
    u, v = (
        np.where(turn[..., i] > 0, 1 - a, a) for i, a in enumerate((x * count % 1, y * count % 1))
    )
    motif = rng.choice(["plain", "diagonal", "disc", "ring"])
    inside = {
        "plain": np.zeros_like(u, bool),
        "diagonal": u > v,
        "disc": (u - 0.5) ** 2 + (v - 0.5) ** 2 < rng.uniform(0.2, 0.45) ** 2,
        "ring": np.abs(np.hypot(u, v) - 0.5) < rng.uniform(0.05, 0.2),
    }[motif]
    kinds = int(rng.integers(1, 5))
    ground = colours[rng.integers(kinds, size=(count, count))[row, column]]
    image = np.where(inside[..., None], colours[5], ground)
    grout = rng.uniform(0, 0.08)
    edge = (np.minimum(u, 1 - u) < grout) | (np.minimum(v, 1 - v) < grout)
    return np.where(edge[..., None], colours[6], image)


def stripes(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Bands of two to four colours and uneven widths, along any lattice direction."""
    x, y = texel_centres()
    a, b = [(1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2)][rng.integers(6)]
    phase = (a * x + b * y) * int(rng.choice([1, 2, 3, 5, 8, 12, 20])) % 1
    borders = np.sort(rng.random(rng.integers(1, 4)))
    return colours[np.digitize(phase, borders)]


def plaid(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Woven bands: threads of one colour along x, of another along y, alternate diagonally."""
    x, y = texel_centres()
    count = int(rng.choice([1, 2, 4]))
    borders = np.sort(rng.random(5))
    thread_x, thread_y = (np.digitize(axis * count % 1, borders) for axis in (x, y))
    column, row = np.arange(SIDE)[None, :], np.arange(SIDE)[:, None]
    above = (column + row) // int(rng.choice([1, 2, 4])) % 2
    return np.where(above[..., None] > 0, colours[thread_x], colours[thread_y])


def checker(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """A board of two colours, square or rectangular."""
    x, y = texel_centres()
    columns, rows = (int(n) for n in rng.choice([2, 4, 6, 8, 16], 2))
    if rng.random() < 0.6:
        rows = columns
    return colours[(np.floor(x * columns) + np.floor(y * rows)).astype(int) % 2]


def dots(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """A lattice of discs."""
    x, y = texel_centres()
    count = int(rng.choice([3, 4, 6, 8, 12]))
    u = (x * count + 0.5 * (np.floor(y * count) % 2) * rng.integers(2)) % 1 - 0.5
    v = y * count % 1 - 0.5
    return colours[(np.hypot(u, v) < rng.uniform(0.12, 0.48)).astype(int)]


def writing(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Lines of invented letters, 5 by 7 cells each, with gaps between words; some are headlines."""
    ink = np.zeros((SIDE, SIDE), bool)
    row = int(rng.integers(0, 12))
    letters = np.zeros((27, 9, 6), bool)
    letters[1:, 1:8, :5] = rng.random((26, 7, 5)) < 0.5
    while row < SIDE:
        scale = int(rng.choice([1, 2, 3, 5], p=[0.4, 0.35, 0.15, 0.1]))
        count = SIDE // (6 * scale)
        line = np.where(rng.random(count) < 0.18, 0, rng.integers(1, 27, count))
        line[int(count * rng.uniform(0.5, 1)) :] = 0
        text = letters[line].transpose(1, 0, 2).reshape(9, -1)
        text = np.kron(text, np.ones((scale, scale), bool))[: SIDE - row]
        ink[row : row + len(text), : text.shape[1]] |= text
        row += len(text) + int(rng.integers(0, 10))
    return np.where(ink[..., None], colours[0], colours[1])
