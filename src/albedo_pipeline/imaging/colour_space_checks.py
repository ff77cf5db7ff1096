"""Signs that an image is not in the colour space that is declared for it."""

import numpy as np

EIGHT_BIT_SHARE = 0.999
"""Values on the steps of an 8-bit image, as a share, from which they are taken for one's."""
CONTRASTS = (0.55, 1.8)
"""Contrast of the beauty at the albedo's edges, as a power of the albedo's: 1 where both are
linear, about 1 / 2.2 or 2.2 where one of them is not what is declared. The limits lie between."""
_EDGE = 0.25  # natural logarithm: a step of 28 % in albedo
_ENOUGH_EDGES = 100


def suspicion(stored: np.ndarray, pixel_type: str, space: str) -> str:
    """What speaks against the declared colour space of one image; empty where nothing does.

    Args:
        stored: float16 or float32 [H, W, 3], as the file has it.
        pixel_type: of the file: uint8, uint16, half, float, …
        space: declared.
    """
    if space == "srgb":
        passes = pixel_type in ("half", "float", "double") and float(np.nanmax(stored)) > 1.001
        return "declared sRGB, but values pass 1" if passes else ""
    if pixel_type == "uint8":
        return "declared linear, but stored in 8 bits, as encoded images are"
    if _on_8_bit_steps(stored):
        return "declared linear, but its values are those of an 8-bit image"
    return ""


def _on_8_bit_steps(stored: np.ndarray) -> bool:
    """Whether nearly all values of a sparse grid of pixels are multiples of 1 / 255."""
    step = max(1, min(stored.shape[:2]) // 32)
    values = stored[::step, ::step].astype(np.float32).ravel() * 255
    values = values[np.isfinite(values) & (values > 16) & (values <= 255)]  # half floats are dense
    if len(np.unique(values)) < 32:  # below
        return False
    steps = np.rint(values)
    tolerance = np.maximum(0.02, steps * 2.0**-11)  # a half float's rounding
    return bool((np.abs(values - steps) <= tolerance).mean() > EIGHT_BIT_SHARE)


def edge_contrast(beauty: np.ndarray, albedo: np.ndarray, usable: np.ndarray) -> float:
    """Median slope of log beauty over log albedo between neighbours where the albedo has an edge.

    Light is much the same on both sides of an edge of a texture, so the beauty's logarithm steps
    as far as the albedo's, if both are linear.

    Args:
        beauty, albedo: linear, [H, W].
        usable: bool [H, W].

    Returns:
        The slope; NaN where there are too few edges to tell.
    """
    logs = [np.log(np.maximum(image, 1e-4)) for image in (beauty, albedo)]
    slopes = []
    for axis in (0, 1):
        light, colour = (np.diff(image, axis=axis) for image in logs)
        both = np.minimum(*_neighbours(usable, axis))
        edges = both & (np.abs(colour) > _EDGE)
        slopes.append(light[edges] / colour[edges])
    found = np.concatenate(slopes)
    return float(np.median(found)) if len(found) >= _ENOUGH_EDGES else float("nan")


def _neighbours(usable: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    return (usable[1:], usable[:-1]) if axis == 0 else (usable[:, 1:], usable[:, :-1])


def contrast_suspicion(contrast: float, beauty_space: str, albedo_space: str) -> str:
    """What a contrast outside the limits says of the declarations; empty where it is inside."""
    low, high = CONTRASTS
    if low <= contrast <= high or np.isnan(contrast):
        return ""
    spaces = {"beauty": beauty_space, "albedo": albedo_space}
    encoded, linear = ("beauty", "albedo") if contrast < low else ("albedo", "beauty")
    doubts = []
    if spaces[encoded] != "srgb":
        doubts.append(f"{encoded}: declared {spaces[encoded]}, but looks encoded")
    if spaces[linear] == "srgb":
        doubts.append(f"{linear}: declared srgb, but looks linear")
    return " beside the other; or ".join(doubts) + " beside the other" if doubts else ""
