"""What the contrasts of many samples say of their declared colour spaces."""

import numpy as np
import pandas as pd

from albedo_pipeline.imaging.colour_space_checks import CONTRAST_LIMITS, contrast_doubt

ENOUGH = 8
"""Samples of one kind whose median tells something."""
_KIND = ["beauty_space", "albedo_space", "beauty_type", "albedo_type"]


def contrast_doubts(manifest: pd.DataFrame) -> list[str]:
    """Of each sample what speaks against its declaration; empty where nothing does.

    Fog, indirect light and highlights lower the contrast of a single picture, as a wrong
    declaration would, but not of most pictures; so a low one counts by the median of all samples
    that were stored and declared alike. Nothing raises it so far: a high one counts by itself.
    """
    contrast = manifest["edge_contrast"]
    alike = manifest.groupby(_KIND)["edge_contrast"]
    median = alike.transform("median").where(alike.transform("count") >= ENOUGH, np.nan)
    judged = contrast.where(contrast > CONTRAST_LIMITS[1], median)
    spaces = manifest["beauty_space"], manifest["albedo_space"]
    return [contrast_doubt(*values) for values in zip(judged, *spaces, strict=True)]
