"""Lights: a sky with a soft sun, panels, a hanging lamp, and a uniform fill light.

Every light is scaled by the irradiance that it gives on the floor below it, so that a small or
distant light does not make a scene black. Directions are (azimuth, elevation) in radians, z up.
"""

import numpy as np

from albedo_pipeline.rendering.meshes import quad

SKY_ROWS, SKY_COLUMNS = 64, 128
"""Size of the environment map of a sky, pixels."""


def draw_lights(rng: np.random.Generator, azimuth: float, spread: float, top: float) -> dict:
    """Random lights of one scene, as Mitsuba descriptions by name; all share a colour cast.

    Args:
        rng: source of all random draws.
        azimuth: direction of the open side of the scene, radians from +x.
        spread: how far to both sides of `azimuth` bright lights may stand, radians.
        top: height of the highest object; a lamp hangs above it.
    """
    # An irradiance of pi on a white floor is reflected as a radiance of 1.
    irradiance = np.pi * 2.0 ** rng.uniform(-2.0, 2.0)
    cast = _cast(rng)
    kind = rng.choice(["sky", "panels", "lamp"], p=[0.25, 0.45, 0.3])
    if kind == "sky":
        return {"sky": _sky(rng, azimuth + rng.uniform(-spread, spread), irradiance, cast)}
    fill = irradiance * rng.choice([0.02, 0.04, 0.08])
    lights = {"fill": constant(_tint(rng, cast) * fill / np.pi)}
    if kind == "lamp":
        return lights | {"lamp": _lamp(rng, top, irradiance, cast)}
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
    for index in range(count):
        panel_azimuth = azimuth + rng.uniform(-spread, spread)
        share = irradiance * rng.uniform(0.4, 1) / count
        lights[f"panel_{index}"] = _panel(rng, panel_azimuth, share, cast)
    return lights


def _sky(rng: np.random.Generator, azimuth: float, irradiance: float, cast: np.ndarray) -> dict:
    """A sky with a gradient from zenith to horizon and a sun between 3 and 25 degrees wide."""
    row, column = (np.arange(n) + 0.5 for n in (SKY_ROWS, SKY_COLUMNS))
    polar, around = np.meshgrid(
        np.pi * row / SKY_ROWS, 2 * np.pi * column / SKY_COLUMNS, indexing="ij"
    )
    # Mitsuba's latitude-longitude map after the turn to z up: its azimuth runs from +y to +x.
    direction = np.stack(
        [np.sin(polar) * np.sin(around), np.sin(polar) * np.cos(around), np.cos(polar)], axis=-1
    )
    height = np.clip(direction[..., 2:], 0, 1)
    ground = direction[..., 2:] < 0
    zenith, horizon = _tint(rng, cast), _tint(rng, cast)
    sky = np.where(ground, 0.3 * horizon, horizon + np.sqrt(height) * (zenith - horizon))
    width = np.radians(np.exp(rng.uniform(np.log(3.0), np.log(25.0))))
    cosine = direction @ unit_direction(azimuth, rng.uniform(0.35, 1.2))
    sun = np.exp((cosine - 1) / width**2)[..., None] * _tint(rng, cast)
    # Irradiance on the floor: the sum of radiance * cos(polar) * solid angle, mean over channels.
    solid_angle = np.sin(polar) * (np.pi / SKY_ROWS) * (2 * np.pi / SKY_COLUMNS)
    on_floor = (solid_angle * height[..., 0])[..., None] / 3
    sun_share = rng.uniform(0.5, 0.92)
    radiance = irradiance * (
        sun_share * sun / (sun * on_floor).sum() + (1 - sun_share) * sky / (sky * on_floor).sum()
    )
    return {"type": "envmap", "bitmap": radiance.astype(np.float32)}


def constant(radiance: np.ndarray) -> dict:
    """Description of light of one radiance [3] from all directions."""
    # By default Mitsuba samples it as often as the main light, which causes more of the noise.
    return {"type": "constant", "radiance": rgb(radiance), "sampling_weight": 0.2}


def _panel(rng: np.random.Generator, azimuth: float, irradiance: float, cast: np.ndarray) -> dict:
    """A square that faces the origin from behind the cameras; small ones cast hard shadows."""
    distance = rng.uniform(7, 10)
    elevation = rng.uniform(0.45, 1.3)
    toward_panel = unit_direction(azimuth, elevation)
    half = distance * np.tan(np.radians(np.exp(rng.uniform(np.log(1.0), np.log(14.0)))))
    side = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0]) * half
    up = np.cross(side, toward_panel)  # so that the front, side x up, faces the origin
    centre = toward_panel * distance
    mesh = quad(*(centre + a * side + b * up for a, b in [(-1, -1), (1, -1), (1, 1), (-1, 1)]))
    # Irradiance of a small source: radiance * area * cos(angle to the floor's normal) / distance^2.
    irradiance_per_radiance = 4 * half**2 * np.sin(elevation) / distance**2
    radiance = _tint(rng, cast) * irradiance / irradiance_per_radiance
    return {"type": "mesh", "mesh": mesh, "emitter": {"type": "area", "radiance": rgb(radiance)}}


def _lamp(rng: np.random.Generator, top: float, irradiance: float, cast: np.ndarray) -> dict:
    """A glowing sphere above the objects: light that falls off fast, shadows in all directions."""
    radius, height = rng.uniform(0.1, 0.3), top + rng.uniform(0.4, 1.1)
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1.5)
    centre = [distance * np.cos(angle), distance * np.sin(angle), height]
    # Irradiance of a sphere on the floor below it: radiance * pi * radius^2 / height^2.
    radiance = _tint(rng, cast) * irradiance * (height / radius) ** 2 / np.pi
    return {
        "type": "sphere",
        "center": [float(value) for value in centre],
        "radius": float(radius),
        "emitter": {"type": "area", "radiance": rgb(radiance)},
    }


def _cast(rng: np.random.Generator) -> np.ndarray:
    """Logarithm of the colour cast [3] of all lights of a scene: warm or cool, or of any hue."""
    if rng.random() < 0.5:
        return np.log(rng.uniform(0.12, 1.0, 3))
    warmth = rng.normal(0, 0.75)
    return np.array([warmth, 0.15 * rng.normal(), -warmth])


def _tint(rng: np.random.Generator, cast: np.ndarray) -> np.ndarray:
    """Colour of one light [3] with mean 1: the scene's cast with a small random change."""
    colour = np.exp(cast + 0.15 * rng.normal(size=3))
    return colour / colour.mean()


def unit_direction(azimuth: float, elevation: float) -> np.ndarray:
    """The unit vector [3] of a direction."""
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def rgb(radiance: np.ndarray) -> dict:
    """Description of a linear Rec.709 colour [3] of any brightness."""
    return {"type": "rgb", "value": [float(value) for value in radiance]}
