"""False colours for maps of error and uncertainty."""

import numpy as np


def coloured(values: np.ndarray) -> np.ndarray:
    """Values in [0, 1], clipped, any shape => uint8 [..., 3], dark to bright (inferno)."""
    from matplotlib import colormaps

    return colormaps["inferno"](np.clip(values, 0, 1), bytes=True)[..., :3]
