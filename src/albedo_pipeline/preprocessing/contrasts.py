"""What the edge contrasts of many samples say about their declared colour spaces."""

import numpy as np
import pandas as pd

from albedo_pipeline.imaging.colour_space_checks import CONTRAST_LIMITS, contrast_doubt

MIN_SAMPLES = 8
"""Number of samples of one kind from which their median is used."""
_KIND = ["beauty_space", "albedo_space", "beauty_type", "albedo_type"]
"""Columns that are equal for samples of one kind."""


def contrast_doubts(manifest: pd.DataFrame) -> list[str]:
    """For each sample, why its declared colour spaces are in doubt; empty if they are not.

    Fog, indirect light and highlights lower the contrast of single images, as a wrong declaration
    does, but not of most images. So a low contrast is judged by the median of all samples that are
    stored and declared alike. Nothing else is known to raise the contrast, so a high one
    alone is a reason for doubt.
    """
    contrast = manifest["edge_contrast"]
    alike = manifest.groupby(_KIND)["edge_contrast"]
    median = alike.transform("median").where(alike.transform("count") >= MIN_SAMPLES, np.nan)
    judged = contrast.where(contrast > CONTRAST_LIMITS[1], median)
    spaces = manifest["beauty_space"], manifest["albedo_space"]
    return [contrast_doubt(*values) for values in zip(judged, *spaces, strict=True)]
