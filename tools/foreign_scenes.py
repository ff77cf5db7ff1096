"""Pairs of an independent renderer, to watch an estimator on scenes that it was not trained on.

    python -m tools.foreign_scenes FOLDER --scenes 200 --resolution 128 --seed 1

It shares no code with `albedo_pipeline.rendering` and does not use Mitsuba: it traces signed
distance fields with numpy. Beauty is albedo times irradiance, plus a weak highlight. The irradiance
is that of a sun with soft shadows, of a sky with ambient occlusion, and of an approximate bounce
from the ground. Textures are solid: they are functions of the position in space.

It writes FOLDER/scene-00000/beauty.exr (linear, HDR), albedo.exr (linear, 0 to 1) and mask.png
(white where surfaces cover the pixel). The same seed gives the same files. A scene is one group. To
read them, write into `conf/local/catalog.yml`:

    raw_pairs:
      type: albedo_pipeline.readers.folder_pattern.FolderPatternDataset
      filepath: FOLDER
      beauty: "{sample}/beauty.exr"
      albedo: "{sample}/albedo.exr"
      mask: "{sample}/mask.png"
      colour_space: linear
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from albedo_pipeline.imaging.io.write import write_exr, write_png

FAR = 40.0
"""Distance at which a ray counts as one that hits nothing, scene units."""
STEPS, SHADOW_STEPS = 64, 24
"""Largest number of steps along a camera ray and a shadow ray."""
SAMPLES = 2
"""Camera rays per pixel along each axis."""
ALBEDO = (0.03, 0.9)
"""Range of the albedo."""

Field = Callable[[np.ndarray], np.ndarray]
"""A function of points [N, 3]: distances [N], or colours [N, 3]."""


@dataclass(frozen=True)
class Surface:
    """A shape with its texture."""

    distance: Field
    albedo: Field
    gloss: float
    """Strength of the highlight, 0 to 0.2."""


def unit(vectors: np.ndarray) -> np.ndarray:
    """`vectors` [..., 3] scaled to length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def sphere_point(azimuth: float, elevation: float) -> np.ndarray:
    """The unit vector [3] of a direction in radians, z up."""
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def draw_noise(rng: np.random.Generator, frequency: float, octaves: int = 4) -> Field:
    """Fractal noise of about [-1, 1]: per octave, products of sines along random directions."""
    waves = rng.normal(size=(octaves, 2, 3)) * frequency * 2.1 ** np.arange(octaves)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, (octaves, 2))

    def noise(p: np.ndarray) -> np.ndarray:
        total = np.zeros(len(p), np.float32)
        for octave in range(octaves):
            a, b = (np.sin(p @ waves[octave, i] + phase[octave, i]) for i in range(2))
            total += (a * b + 0.3 * a) / 1.7**octave
        return total

    return noise


def draw_albedo(rng: np.random.Generator) -> Field:
    """A solid texture: plain, warped noise, rings, hexagons, or a lattice of cubes."""
    first, second = (rng.uniform(0.15, 0.97, 3) ** 2.2 for _ in range(2))
    if rng.random() < 0.5:  # muted
        first, second = (c + 0.7 * (c.mean() - c) for c in (first, second))
    kind = rng.choice(["plain", "warped", "rings", "hexagons", "cubes"])
    frequency = float(np.exp(rng.uniform(np.log(1.5), np.log(9.0))))
    noise, warp = draw_noise(rng, frequency), draw_noise(rng, 1.5, 2)
    sharp = rng.uniform(1.0, 12.0)
    centre = rng.normal(size=3)
    offset = rng.uniform(0, 1, 3)

    def mix(p: np.ndarray) -> np.ndarray:
        if kind == "plain":
            return 0.04 * noise(p)
        if kind == "warped":
            return 0.5 + 0.5 * np.tanh(sharp * noise(p + 0.4 * warp(p)[:, None]))
        if kind == "rings":
            radius = np.linalg.norm(p - centre, axis=1) + 0.1 * warp(p)
            return 0.5 + 0.5 * np.tanh(sharp * np.sin(frequency * 2 * radius))
        if kind == "cubes":
            return np.floor(p * frequency * 0.5 + offset).sum(axis=1) % 2
        return _hexagons((p[:, :2] + 0.37 * p[:, 2:]) * frequency * 0.4)

    def albedo(p: np.ndarray) -> np.ndarray:
        colour = first + mix(p)[:, None] * (second - first)
        return np.clip(colour, *ALBEDO).astype(np.float32)

    return albedo


def _hexagons(p: np.ndarray) -> np.ndarray:
    """A random tone for each cell of a hexagonal lattice, and 1 on the borders."""
    cell = np.array([1.0, np.sqrt(3.0)])
    a, b = p % cell - cell / 2, (p - cell / 2) % cell - cell / 2
    local = np.where((a**2).sum(1, keepdims=True) < (b**2).sum(1, keepdims=True), a, b)
    index = np.round((p - local) * 2).sum(axis=1)
    q = np.abs(local)
    border = np.maximum(q[:, 0], q @ np.array([0.5, np.sqrt(0.75)])) > 0.45
    return np.where(border, 1.0, 0.8 * (np.sin(index * 12.9898) * 43758.5453 % 1))


def draw_shape(rng: np.random.Generator, centre: np.ndarray, size: float) -> Field:
    """The distance to blobs, a rounded box, a column, a ring, or a part of a gyroid."""
    kind = rng.choice(["blobs", "box", "column", "ring", "gyroid"], p=[0.3, 0.25, 0.2, 0.1, 0.15])
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    half = size * rng.uniform(0.4, 1.0, 3)
    lumps = rng.normal(0, 0.45, (4, 3)) * size
    radii = size * rng.uniform(0.3, 0.7, 4)
    wave = rng.uniform(4, 9) / size
    bottom = half[2] if kind in {"box", "column"} else 0.7 * size

    def distance(p: np.ndarray) -> np.ndarray:
        q = p - centre - [0, 0, bottom]
        if kind == "blobs":  # a smooth minimum: -log of a sum of exponentials
            k = 6 / size
            each = [
                np.exp(-k * (np.linalg.norm(q - c, axis=1) - r))
                for c, r in zip(lumps, radii, strict=True)
            ]
            return -np.log(np.clip(sum(each), 1e-30, None)) / k
        if kind == "box":
            x, y = (q[:, :2] @ turn).T
            d = np.abs(np.column_stack([x, y, q[:, 2]])) - half + 0.08 * size
            outside = np.linalg.norm(np.maximum(d, 0), axis=1)
            return outside + np.minimum(d.max(axis=1), 0) - 0.08 * size
        flat = np.linalg.norm(q[:, :2], axis=1)
        if kind == "column":
            flutes = 0.04 * size * np.cos(10 * np.arctan2(q[:, 1], q[:, 0]))
            d = np.column_stack([flat - 0.6 * half[0] - flutes, np.abs(q[:, 2]) - half[2]])
            return 0.7 * (np.linalg.norm(np.maximum(d, 0), axis=1) + np.minimum(d.max(axis=1), 0))
        if kind == "ring":
            return np.hypot(flat - 0.6 * size, q[:, 2] + 0.4 * size) - 0.22 * size
        gyroid = (np.sin(wave * q) * np.cos(wave * q[:, [1, 2, 0]])).sum(axis=1) / wave
        return np.maximum(
            np.linalg.norm(q, axis=1) - 0.75 * size, 0.6 * (np.abs(gyroid) - 0.06 * size)
        )

    def bounded(p: np.ndarray) -> np.ndarray:
        """The distance to a sphere around the shape, or to the shape itself near or in it."""
        result = np.linalg.norm(p - centre - [0, 0, bottom], axis=1) - 2.4 * size
        near = result < 0.1
        result[near] = distance(p[near])
        return result

    return bounded


def draw_surfaces(rng: np.random.Generator) -> list[Surface]:
    """Hilly or flat ground with 2 to 8 shapes, and a wall at times."""
    hills = draw_noise(rng, rng.uniform(0.3, 0.9), 2)
    height = rng.choice([0.0, rng.uniform(0.03, 0.25)])

    def ground(p: np.ndarray) -> np.ndarray:
        return (p[:, 2] - height * hills(p * [1, 1, 0])) * 0.8

    surfaces = [Surface(ground, draw_albedo(rng), 0.0)]
    for _ in range(rng.integers(2, 9)):
        centre = np.array([*rng.uniform(-1.8, 1.8, 2), 0.0])
        shape = draw_shape(rng, centre, rng.uniform(0.3, 0.9))
        surfaces.append(Surface(shape, draw_albedo(rng), rng.choice([0.0, rng.uniform(0.02, 0.2)])))
    if rng.random() < 0.35:
        angle = rng.uniform(0, 2 * np.pi)
        normal = np.array([np.cos(angle), np.sin(angle), 0.0])
        surfaces.append(Surface(lambda p: p @ normal + 3.2, draw_albedo(rng), 0.0))
    return surfaces


def nearest(surfaces: list[Surface], p: np.ndarray) -> np.ndarray:
    """Distance from points [N, 3] to the nearest surface, [N]."""
    return np.minimum.reduce([surface.distance(p) for surface in surfaces])


def trace(surfaces: list[Surface], origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Length of the rays from `origin` along `direction`, each [N, 3]; FAR if nothing is hit."""
    length = np.full(len(origin), 0.02)
    active = np.arange(len(origin))
    for _ in range(STEPS):
        step = nearest(surfaces, origin[active] + length[active, None] * direction[active])
        length[active] += step
        active = active[(step > 1e-3 * length[active]) & (length[active] < FAR)]
        if not len(active):
            break
    return np.minimum(length, FAR)


def shadow(surfaces: list[Surface], p: np.ndarray, sun: np.ndarray, softness: float) -> np.ndarray:
    """Share of the sun that is seen from points `p` [N, 3], after Quilez's soft shadows."""
    seen, length = np.ones(len(p)), np.full(len(p), 0.03)
    active = np.arange(len(p))
    for _ in range(SHADOW_STEPS):
        step = nearest(surfaces, p[active] + length[active, None] * sun)
        seen[active] = np.minimum(seen[active], 0.5 + 0.5 * step / (softness * length[active]))
        length[active] += np.maximum(step, 0.03)
        active = active[(seen[active] > 0) & (length[active] < 12)]
        if not len(active):
            break
    seen = np.clip(seen, 0, 1)
    return seen**2 * (3 - 2 * seen)


def normals(surfaces: list[Surface], p: np.ndarray) -> np.ndarray:
    """Unit gradients of the distance at points [N, 3], by differences along a tetrahedron."""
    corner = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
    return unit(sum(nearest(surfaces, p + 2e-3 * c)[:, None] * c for c in corner) + 1e-12)


def camera_rays(
    rng: np.random.Generator, surfaces: list[Surface], resolution: int
) -> tuple[np.ndarray, np.ndarray]:
    """Origin [3] and directions [N, 3] of a camera around the shapes, rows from the top."""
    tangent = np.tan(np.radians(rng.uniform(15, 32)))
    while True:
        out = sphere_point(rng.uniform(0, 2 * np.pi), rng.uniform(0.12, 1.2))
        origin = rng.uniform(2.5, 6.0) * out + [0, 0, 0.6]
        if nearest(surfaces, origin[None])[0] > 0.3:  # outside of shapes and before the wall
            break
    forward = unit(np.array([*rng.uniform(-0.7, 0.7, 2), 0.4]) - origin)
    side = unit(np.cross(forward, [0, 0, 1]))
    up = np.cross(side, forward)
    line = ((np.arange(resolution * SAMPLES) + 0.5) / (resolution * SAMPLES) * 2 - 1) * tangent
    x, y = np.meshgrid(line, -line)
    return origin, unit(forward + x.reshape(-1, 1) * side + y.reshape(-1, 1) * up)


def render(seed: int, scene: int, resolution: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beauty and albedo (float32 [H, W, 3]) and valid mask (bool [H, W]) of a scene."""
    rng = np.random.default_rng([seed, scene])
    surfaces = draw_surfaces(rng)
    warm = np.array([1.0, rng.uniform(0.7, 1.0), rng.uniform(0.4, 1.1)])
    sky = np.array([rng.uniform(0.5, 1.0), 0.85, 1.1]) * rng.uniform(0.1, 0.5)
    sun = sphere_point(rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.3))
    softness = np.exp(rng.uniform(np.log(0.01), np.log(0.25)))
    exposure = 2.0 ** rng.uniform(-1, 1)
    origin, direction = camera_rays(rng, surfaces, resolution)

    origin = np.broadcast_to(origin, direction.shape)
    length = trace(surfaces, origin, direction)
    hit = length < FAR
    p = (origin + length[:, None] * direction)[hit]
    normal = normals(surfaces, p)
    p = p + 4e-3 * normal
    which = np.argmin([surface.distance(p) for surface in surfaces], axis=0)
    albedo, gloss = np.zeros((len(p), 3)), np.zeros(len(p))
    for index, surface in enumerate(surfaces):
        chosen = which == index
        albedo[chosen] = surface.albedo(p[chosen])
        gloss[chosen] = surface.gloss

    cosine = np.clip(normal @ sun, 0, 1)
    lit = np.zeros(len(p))
    facing = cosine > 0
    lit[facing] = shadow(surfaces, p[facing], sun, softness) * cosine[facing]
    open_sky = np.ones(len(p))  # ambient occlusion: how far the distance lags behind the step
    for reach in (0.06, 0.18, 0.45):
        open_sky *= np.clip(0.35 + 0.65 * nearest(surfaces, p + reach * normal) / reach, 0, 1)
    bounce = surfaces[0].albedo(p * [1, 1, 0]) * warm * sun[2] * 0.35
    upward = (0.5 + 0.5 * normal[:, 2])[:, None]
    irradiance = lit[:, None] * warm + open_sky[:, None] * (sky * upward + bounce * (1 - upward))
    halfway = unit(sun - direction[hit])
    highlight = gloss * lit * 8 * np.clip((normal * halfway).sum(axis=1), 0, 1) ** 60
    colour = np.broadcast_to(sky * 1.5, direction.shape).copy()
    colour[hit] = albedo * irradiance + highlight[:, None] * warm
    reflectance = np.zeros_like(colour)
    reflectance[hit] = albedo

    def pixels(samples: np.ndarray) -> np.ndarray:
        grid = samples.reshape(resolution, SAMPLES, resolution, SAMPLES, -1)
        return grid.mean(axis=(1, 3)).astype(np.float32)

    return exposure * pixels(colour), pixels(reflectance), pixels(hit * 1.0)[..., 0] == 1


def main() -> None:
    """Write the scenes of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scenes", type=int, default=100, help="number of scenes")
    parser.add_argument("--resolution", type=int, default=128, help="width and height, pixels")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for scene in range(arguments.scenes):
        beauty, albedo, valid = render(arguments.seed, scene, arguments.resolution)
        folder = arguments.folder / f"scene-{scene:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        write_exr(folder / "beauty.exr", beauty, {}, half=False)
        write_exr(folder / "albedo.exr", albedo, {}, half=False)
        write_png(folder / "mask.png", np.repeat(valid[..., None] * np.uint8(255), 3, axis=-1))


if __name__ == "__main__":
    main()
