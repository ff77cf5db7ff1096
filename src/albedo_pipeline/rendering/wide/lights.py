"""Lights of the wide world: suns, skies, panels and lamps of many colours.

`irradiance` is always what a light gives on a white surface that faces it; pi gives a radiance
of 1. Directions are unit vectors toward the light.
"""

import numpy as np

from albedo_pipeline.rendering.lights import constant, rgb, unit_direction
from albedo_pipeline.rendering.meshes import quad
from albedo_pipeline.rendering.wide.occluders import draw_occluder

KELVIN = (2500.0, 10000.0)
"""Range of colour temperatures: from light bulbs to blue sky."""
WAVELENGTHS = np.array([611e-9, 549e-9, 464e-9])
"""Dominant wavelengths of the Rec.709 primaries, metres."""
FILL = (0.02, 0.3)
"""Range of the irradiance of the fill light, as a share of the main light's."""
SKY_ROWS, SKY_COLUMNS = 32, 64
"""Size of the environment map of a sky without a sun, pixels."""


def draw_irradiance(rng: np.random.Generator) -> float:
    """Irradiance of a scene's main light."""
    return float(np.pi * 2.0 ** rng.uniform(-2.0, 2.0))


def draw_light_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour [3] of mean 1: of a black body, slightly off it, or at times a strong colour."""
    if rng.random() < 0.1:
        colour = rng.uniform(0.05, 1.0, 3)
    else:
        kelvin = 1 / rng.uniform(1 / KELVIN[1], 1 / KELVIN[0])
        colour = black_body(kelvin) * np.exp(rng.normal(0, 0.07, 3))
    return colour / colour.mean()


def black_body(kelvin: float) -> np.ndarray:
    """Colour [3] by Planck's law at WAVELENGTHS, with white at 6500 K; the mean is 1."""

    def radiance(temperature: float) -> np.ndarray:
        return WAVELENGTHS**-5 / (np.exp(0.014388 / (WAVELENGTHS * temperature)) - 1)

    colour = radiance(kelvin) / radiance(6500.0)
    return colour / colour.mean()


def draw_sun(
    rng: np.random.Generator,
    toward: np.ndarray,
    irradiance: np.ndarray,
    centre: np.ndarray,
    radius: float,
    occluded: float,
) -> dict:
    """A distant light with hard or slightly soft shadows, with an occluder at a probability.

    Args:
        rng: source of all random draws.
        toward: direction of the sun [3].
        irradiance: per channel [3].
        centre: centre of the sphere that is lit [3].
        radius: radius of that sphere.
        occluded: probability that an occluder stands between the sun and that sphere.
    """
    if rng.random() < 0.5:
        direction = [float(-value) for value in toward]
        sun = {"type": "directional", "direction": direction, "irradiance": rgb(irradiance)}
    else:
        width = np.exp(rng.uniform(np.log(0.3), np.log(4.0)))
        sun = panel(toward, irradiance, centre, 20 * radius, width)
    lights = {"sun": sun}
    if rng.random() < occluded:
        lights["occluder"] = draw_occluder(rng, toward, centre, radius)
    return lights


def panel(
    toward: np.ndarray, irradiance: np.ndarray, centre: np.ndarray, distance: float, width: float
) -> dict:
    """A square light that faces `centre` from `distance` and looks `width` degrees wide from it."""
    half = distance * np.tan(np.radians(width / 2))
    side = np.cross([0.0, 0.0, 1.0], toward)
    side *= half / np.linalg.norm(side)
    up = np.cross(side, toward)  # so that the front, side x up, faces the centre
    middle = centre + toward * distance
    mesh = quad(*(middle + a * side + b * up for a, b in [(-1, -1), (1, -1), (1, 1), (-1, 1)]))
    radiance = irradiance * (distance / (2 * half)) ** 2
    return {"type": "mesh", "mesh": mesh, "emitter": {"type": "area", "radiance": rgb(radiance)}}


def bulb(position: np.ndarray, radius: float, irradiance: np.ndarray, distance: float) -> dict:
    """A glowing sphere that gives `irradiance` [3] at `distance` from its centre."""
    return {
        "type": "sphere",
        "center": [float(value) for value in position],
        "radius": float(radius),
        "emitter": {"type": "area", "radiance": rgb(irradiance * (distance / radius) ** 2 / np.pi)},
    }


def fill(rng: np.random.Generator, irradiance: float) -> dict:
    """A uniform light of a share FILL of the main light's irradiance."""
    share = FILL[0] + (FILL[1] - FILL[0]) * rng.random() ** 1.5
    return constant(draw_light_colour(rng) * share * irradiance / np.pi)


def sky(
    rng: np.random.Generator, irradiance: float, zenith: np.ndarray, horizon: np.ndarray
) -> dict:
    """A sky from `zenith` to `horizon` colour [3], uneven as with clouds, over a dark ground."""
    elevation = np.pi / 2 - np.pi * (np.arange(SKY_ROWS) + 0.5) / SKY_ROWS
    height = np.sin(elevation)[:, None, None]
    blend = np.sqrt(np.clip(height, 0, 1))
    around = 2 * np.pi * np.arange(SKY_COLUMNS) / SKY_COLUMNS
    clouds = sum(
        np.sin(n * around[None, :] + m * elevation[:, None] + rng.uniform(0, 2 * np.pi)) / n
        for n, m in [(1, 1.5), (1, 4), (2, 3), (3, 7), (4, 5)]
    )
    radiance = (horizon + blend * (zenith - horizon)) * np.exp(
        rng.uniform(0, 0.5) * np.asarray(clouds)[..., None]
    )
    radiance = np.where(height < 0, 0.25 * radiance, radiance)
    solid_angle = np.cos(elevation) * (np.pi / SKY_ROWS) * (2 * np.pi / SKY_COLUMNS)
    on_floor = (solid_angle * np.clip(np.sin(elevation), 0, 1))[:, None, None] / 3
    radiance *= irradiance / (radiance * on_floor).sum()
    return {"type": "envmap", "bitmap": radiance.astype(np.float32)}


def draw_daylight(rng: np.random.Generator, centre: np.ndarray, radius: float) -> dict:
    """Sunshine with a blue sky, a low warm sun, or an overcast sky, for outdoors."""
    irradiance = draw_irradiance(rng)
    kind = rng.choice(["clear", "low", "overcast", "coloured"], p=[0.5, 0.2, 0.2, 0.1])
    if kind == "overcast":
        grey = black_body(rng.uniform(5500, 8500))
        return {"sky": sky(rng, irradiance, grey, grey * rng.uniform(0.5, 1.2))}
    share = rng.uniform(0.08, 0.35)
    elevation = rng.uniform(0.12, 0.4) if kind == "low" else rng.uniform(0.4, 1.35)
    warmth = rng.uniform(2500, 4500) if kind == "low" else rng.uniform(4800, 6500)
    colour = draw_light_colour(rng) if kind == "coloured" else black_body(warmth)
    toward = unit_direction(rng.uniform(-np.pi, np.pi), elevation)
    blue = black_body(rng.uniform(7500, 10000)) ** rng.uniform(0.5, 1.5)
    lights = {"sky": sky(rng, share * irradiance, blue, (blue + colour) * 0.7)}
    sun_colour = colour * irradiance * (1 - share)
    return lights | draw_sun(rng, toward, sun_colour, centre, radius, occluded=0.35)


def draw_studio(rng: np.random.Generator, centre: np.ndarray, radius: float) -> dict:
    """Lights for objects close by: a sun with or without an occluder, panels, or lamps; and fill.

    All stand above the horizontal plane through `centre`, at any side.
    """
    irradiance = draw_irradiance(rng)
    lights = {"fill": fill(rng, irradiance)}
    kind = rng.choice(["sun", "panels", "lamps", "sky"], p=[0.45, 0.25, 0.18, 0.12])
    if kind == "sun":
        toward = unit_direction(rng.uniform(-np.pi, np.pi), rng.uniform(0.25, 1.4))
        main = draw_light_colour(rng) * irradiance
        return lights | draw_sun(rng, toward, main, centre, radius, occluded=0.7)
    if kind == "sky":
        zenith, horizon = draw_light_colour(rng), draw_light_colour(rng)
        return {"sky": sky(rng, irradiance, zenith, horizon)}
    count = int(rng.integers(1, 4))
    for index in range(count):
        toward = unit_direction(rng.uniform(-np.pi, np.pi), rng.uniform(0.3, 1.4))
        strength = draw_light_colour(rng) * irradiance * rng.uniform(0.3, 1) / np.sqrt(count)
        if kind == "panels":
            width = np.exp(rng.uniform(np.log(1.0), np.log(50.0)))
            distance = radius * rng.uniform(3.0, 8.0)
            lights[f"panel_{index}"] = panel(toward, strength, centre, distance, width)
        else:
            distance = radius * rng.uniform(1.3, 3.0)
            size = distance * rng.uniform(0.03, 0.12)
            position = centre + toward * distance
            lights[f"lamp_{index}"] = bulb(position, size, strength, distance)
    return lights
