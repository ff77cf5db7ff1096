"""False colours for maps of error and uncertainty."""

import numpy as np


def coloured(values: np.ndarray) -> np.ndarray:
    """Values of any shape => uint8 [..., 3], black for 0 to pale yellow for 1 (inferno).

    Values outside [0, 1] are clipped.
    """
    from matplotlib import colormaps

    return colormaps["inferno"](np.clip(values, 0, 1), bytes=True)[..., :3]
