"""False colours for maps of error and uncertainty."""

import numpy as np

ERROR_LIMIT = 0.25
"""Difference, sRGB-encoded, that the brightest colour of error and uncertainty stands for.

Larger values get the same colour. The limit is fixed, so that the pictures of two reports can be
compared, and it is the same for error and uncertainty, so that these can be compared too.
"""

_HATCH = np.array([104, 136], dtype=np.uint8)  # neutral greys: not among the error's colours


def coloured(values: np.ndarray) -> np.ndarray:
    """Values of any shape => uint8 [..., 3], black for 0 to pale yellow for 1 (inferno).

    Values outside [0, 1] are clipped.
    """
    from matplotlib import colormaps

    return colormaps["inferno"](np.clip(values, 0, 1), bytes=True)[..., :3]


def absolute_error(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Absolute difference of two uint8 [H, W, 3], mean over the channels: [H, W] in [0, 1]."""
    return np.abs(prediction.astype(np.float32) - truth.astype(np.float32)).mean(axis=-1) / 255


def error_picture(error: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """False-colour picture of error or uncertainty; invalid pixels are hatched.

    Args:
        error: [H, W] in [0, 1]; `ERROR_LIMIT` and more gets the brightest colour.
        valid: bool [H, W].

    Returns:
        uint8 [H, W, 3].
    """
    return hatched(coloured(error / ERROR_LIMIT), valid)


def hatched(picture: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """A copy of uint8 [H, W, 3] with grey diagonal stripes where `valid`, bool [H, W], is false."""
    rows, columns = np.indices(valid.shape)
    stripe = max(1, valid.shape[0] // 32)
    hatch = _HATCH[(rows + columns) // stripe % 2]
    return np.where(valid[..., None], picture, hatch[..., None])
