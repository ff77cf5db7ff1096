"""A sheet of raw samples: beauty, albedo and mask side by side."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from albedo_pipeline.imaging.colour import encode_srgb, luminance, to_linear
from albedo_pipeline.imaging.exposure import exposure_factor
from albedo_pipeline.readers.raw_pairs import RawPairReference

ROWS, COLUMNS = 6, 4
BACKGROUND = "0.75"  # grey, so that a white mask stands out


def sample_sheet(references: Sequence[RawPairReference]) -> Figure:
    """Up to 24 samples, spread evenly over the list, each exposed for viewing."""
    count = min(ROWS * COLUMNS, len(references))
    chosen = [references[i] for i in np.linspace(0, len(references) - 1, count).astype(int)]
    figure = Figure(figsize=(13, 1.15 * ROWS + 0.6), layout="constrained", facecolor=BACKGROUND)
    figure.suptitle("Samples: beauty, albedo, valid mask")
    axes = figure.subplots(-(-count // COLUMNS), COLUMNS, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, reference in zip(axes.flat, chosen, strict=False):
        axis.imshow(_triptych(reference), interpolation="nearest")
        axis.set_title(reference.sample_id, fontsize=6, pad=2)
    return figure


def _triptych(reference: RawPairReference) -> np.ndarray:
    """Exposed beauty, albedo and mask side by side, sRGB-encoded, [H, W, 3]."""
    pair = reference.load()
    beauty = to_linear(pair.beauty, pair.beauty_space)
    albedo = to_linear(pair.albedo, pair.albedo_space)
    usable = (np.isfinite(beauty) & (beauty >= 0)).all(axis=-1)
    exposure = exposure_factor(luminance(beauty), usable & pair.valid, "percentile", 90, 0.8, 0)
    mask = np.repeat(pair.valid[..., None], 3, axis=-1).astype(np.float32)
    images = (beauty * exposure, albedo, mask)
    gap = np.full((len(mask), 2, 3), 0.52, np.float32)  # encodes to the background's grey
    panels = [panel for i in images for panel in (encode_srgb(np.clip(i, 0, 1)), gap)]
    return np.concatenate(panels[:-1], axis=1)


def count_redrawn(references: Sequence[RawPairReference]) -> dict:
    """Number of pairs and groups, and of rejected random scenes by reason.

    The reasons are read from the files' attributes. A rejected scene counts once for each of its
    views.
    """
    reasons = Counter(
        reason for r in references for reason in r.load().attributes.get("redrawn", "").split()
    )
    return {
        "pairs": len(references),
        "groups": len({r.group for r in references}),
        "redrawn": dict(sorted(reasons.items())),
        "redrawn_total": reasons.total(),
    }
