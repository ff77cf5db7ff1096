"""Signs that an image is not in the colour space that is declared for it."""

import numpy as np

EIGHT_BIT_SHARE = 0.999
"""Share of values that are multiples of 1/255 above which an image counts as 8-bit."""
CONTRAST_LIMITS = (0.55, 1.8)
"""Range of `edge_contrast` that raises no doubt. The contrast is about 1 if both declarations are
right, and about 1/2.2 or 2.2 if one of them is wrong; the limits lie between."""
_MIN_EDGE_STEP = 0.25
"""Step of the albedo's natural logarithm that counts as an edge: a change of 28 %."""
_MIN_EDGES = 100


def pixel_doubt(stored: np.ndarray, pixel_type: str, space: str) -> str:
    """Reason to doubt the declared colour space of one image; empty if there is none.

    Args:
        stored: float16 or float32 [H, W, 3], as the file has it.
        pixel_type: type of the file's pixels: uint8, uint16, half, float, …
        space: the declared colour space.
    """
    if space == "srgb":
        exceeds_1 = pixel_type in ("half", "float", "double") and float(np.nanmax(stored)) > 1.001
        return "declared sRGB, but values exceed 1" if exceeds_1 else ""
    if pixel_type == "uint8":
        return "declared linear, but stored in 8 bits, as encoded images are"
    if _has_8_bit_values(stored):
        return "declared linear, but its values are those of an 8-bit image"
    return ""


def _has_8_bit_values(stored: np.ndarray) -> bool:
    """Whether nearly all values on a sparse grid of pixels are multiples of 1/255."""
    step = max(1, min(stored.shape[:2]) // 32)
    values = stored[::step, ::step].astype(np.float32).ravel() * 255
    # Dark values are left out, because half floats are dense there.
    values = values[np.isfinite(values) & (values > 16) & (values <= 255)]
    if len(np.unique(values)) < 32:  # too few to decide
        return False
    steps = np.rint(values)
    tolerance = np.maximum(0.02, steps * 2.0**-11)  # 2^-11: relative rounding error of half floats
    return bool((np.abs(values - steps) <= tolerance).mean() > EIGHT_BIT_SHARE)


def edge_contrast(beauty: np.ndarray, albedo: np.ndarray, usable: np.ndarray) -> float:
    """Median ratio of the steps of log beauty and log albedo at the albedo's edges.

        contrast = median(Δ log beauty / Δ log albedo), over neighbours with |Δ log albedo| > 0.25

    The beauty is albedo times shading, and shading is nearly the same on both sides of an edge in
    a texture. So the two logarithms step by the same amount if both images are linear; encoding an
    image with a gamma g divides its steps by g.

    Args:
        beauty: linear, [H, W].
        albedo: linear, [H, W].
        usable: bool [H, W], the pixels to compare.

    Returns:
        The median; NaN if there are too few edges.
    """
    logs = [np.log(np.maximum(image, 1e-4)) for image in (beauty, albedo)]
    slopes = []
    for axis in (0, 1):
        beauty_steps, albedo_steps = (np.diff(image, axis=axis) for image in logs)
        both_usable = np.minimum(*_neighbours(usable, axis))
        edges = both_usable & (np.abs(albedo_steps) > _MIN_EDGE_STEP)
        slopes.append(beauty_steps[edges] / albedo_steps[edges])
    all_slopes = np.concatenate(slopes)
    return float(np.median(all_slopes)) if len(all_slopes) >= _MIN_EDGES else float("nan")


def _neighbours(usable: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    return (usable[1:], usable[:-1]) if axis == 0 else (usable[:, 1:], usable[:, :-1])


def contrast_doubt(contrast: float, beauty_space: str, albedo_space: str) -> str:
    """Reason to doubt the declared colour spaces of a pair; empty if there is none.

    Args:
        contrast: from `edge_contrast`; NaN raises no doubt.
        beauty_space: declared colour space of the beauty.
        albedo_space: declared colour space of the albedo.
    """
    low, high = CONTRAST_LIMITS
    if low <= contrast <= high or np.isnan(contrast):
        return ""
    spaces = {"beauty": beauty_space, "albedo": albedo_space}
    # A low contrast has two explanations: the beauty is encoded, or the albedo is linear.
    encoded, linear = ("beauty", "albedo") if contrast < low else ("albedo", "beauty")
    doubts = []
    if spaces[encoded] != "srgb":
        doubts.append(
            f"{encoded}: declared {spaces[encoded]}, but looks encoded compared with the {linear}"
        )
    if spaces[linear] == "srgb":
        doubts.append(f"{linear}: declared srgb, but looks linear compared with the {encoded}")
    return "; or ".join(doubts)
