"""Scores on photographs whose albedo is partly known, from human judgements or measurements."""

import logging
from collections.abc import Callable, ItemsView
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import interpolate

from albedo_pipeline.errors import BadSampleError, NotFiniteError, ProjectError
from albedo_pipeline.evaluation.retinex import retinex_reflectance
from albedo_pipeline.evaluation.summary import summarise, with_fingerprint
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.inference.tiled_prediction import TiledPrediction, predict_image
from albedo_pipeline.metrics.maw import maw_chromaticity, maw_intensity, patch_means
from albedo_pipeline.metrics.whdr import Judgement, whdr
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.evaluate import RetinexParams
from albedo_pipeline.readers.photographs import Measured, Photo
from albedo_pipeline.runtime.device import open_device
from albedo_pipeline.runtime.progress import progress

logger = logging.getLogger(__name__)

MAW_SIZE = (240, 320)
"""Rows and columns of the images in which the measured surfaces are compared."""


@dataclass(frozen=True)
class PhotoProtocol:
    """What is measured on a data set of photographs, and a description of how."""

    description: dict[str, object]
    score: Callable[[np.ndarray, Any], dict[str, float]]
    """(linear albedo [H, W, 3], known part of the albedo) => measures by name."""


def iiw_scores(albedo: np.ndarray, judgements: list[Judgement]) -> dict[str, float]:
    """WHDR with a threshold of 10 %."""
    return {"whdr": whdr(albedo, judgements)}


def maw_scores(albedo: np.ndarray, measured: Measured) -> dict[str, float]:
    """Intensity and chromaticity error of the measured surfaces."""
    encoded = torch.from_numpy(encode_srgb(albedo)).permute(2, 0, 1)[None]
    labels = torch.from_numpy(measured.labels)[None, None].double()
    # As in the published code: bilinear for the encoded albedo, nearest neighbour for labels.
    small = interpolate(encoded, MAW_SIZE, mode="bilinear", antialias=True)
    small_labels = interpolate(labels, MAW_SIZE, mode="nearest-exact")[0, 0].long().numpy()
    means, pixels = patch_means(decode_srgb(small[0].permute(1, 2, 0).numpy()), small_labels)
    remaining = np.unique(small_labels)  # a small surface may have no pixel left
    colours = measured.colours[remaining[remaining > 0] - 1]
    return {
        "maw_intensity": maw_intensity(means, colours, pixels),
        "maw_chromaticity": maw_chromaticity(means, colours, pixels),
    }


IIW = PhotoProtocol(
    {
        "name": "iiw",
        "source": "Bell et al. 2014, whdr.py: threshold 10 %, weighted by darker_score",
        "metrics": {"whdr": "linear"},
        "colour_space": "linear Rec.709; a point's reflectance is the mean of R, G and B",
    },
    iiw_scores,
)
MAW = PhotoProtocol(
    {
        "name": "maw",
        "source": "Wu et al. 2023, numerical_albedo.py: si and per_si",
        "metrics": {"maw_intensity": "linear", "maw_chromaticity": "CIELAB"},
        "colour_space": "linear Rec.709, means of surfaces at 320 x 240 pixels",
        "alignment": "intensity: one scale a photograph; chromaticity: one scale a surface",
    },
    maw_scores,
)


def score_photos(
    photos: list[Photo], model: AlbedoModel, protocol: PhotoProtocol, params: EvaluateParams
) -> tuple[pd.DataFrame, dict]:
    """Scores of every photograph, and the content of metrics.json: means with intervals.

    Raises:
        ProjectError: if no photograph can be used.
    """
    table, used, rejected = photo_table(photos, model, protocol.score, params)
    resolution = {
        "resolution": model.default_resolution or "the photograph's own",
        "enlargement": "guided filter" if model.default_resolution else None,
    }
    metrics = {
        "protocol": with_fingerprint(protocol.description | resolution, used, params),
        "lineage": model.digests(),
        "left_out": rejected,
    }
    return table, metrics | summarise(table, params.bootstrap)


def photo_table(
    photos: list[Photo], model: AlbedoModel, score: Callable, params: EvaluateParams
) -> tuple[pd.DataFrame, list[str], dict[str, str]]:
    """Scores of every photograph.

    Methods: `model`, at its default resolution; `beauty_as_albedo`; `retinex`; and `constant`, a
    grey card.

    Returns:
        A table with one row per photograph and method; a line with name and digest for each
        photograph that was used; and by name why the others were skipped.

    Raises:
        ProjectError: if no photograph can be used.
    """
    estimator = Estimator.owning(
        model, open_device(params.device, params.precision), params, params.precision
    )
    resolution = model.default_resolution or 0
    layout = TiledPrediction(smallest=resolution, largest=resolution)
    table, used, rejected = [], [], {}
    for photo in progress(photos, len(photos), "photographs"):
        try:
            known, encoded, digest = photo.read_known(), photo.read(), photo.digest()
        except BadSampleError as error:
            rejected[photo.name] = str(error)
            logger.warning("%s: skipped: %s", photo.name, error)
            continue
        used.append(f"{photo.name} {digest}")
        identity = {"sample_id": photo.name, "group": photo.group, "split": "test", "set": ""}
        for method, albedo in _estimates(estimator, encoded, photo.name, layout, params.retinex):
            table.append(identity | {"method": method} | score(albedo, known))
    if not table:
        raise ProjectError(
            f"no photograph could be used; the first error: {next(iter(rejected.values()))}"
        )
    return pd.DataFrame(table), used, rejected


def _estimates(
    estimator: Estimator,
    encoded: np.ndarray,
    name: str,
    layout: TiledPrediction,
    retinex: RetinexParams,
) -> ItemsView[str, np.ndarray]:
    """Pairs of method and linear albedo [H, W, 3] in [0, 1]."""
    try:
        predicted = predict_image(estimator, quantize(encoded), name, layout).albedo
    except NotFiniteError as error:
        raise ProjectError(f"{name}: {error}") from error
    light = decode_srgb(encoded)
    reflectance = retinex_reflectance(light, retinex.intensity_threshold, retinex.chroma_threshold)
    # These measures are scale-invariant, but clipping is not: scale so that few pixels are clipped.
    brightest = max(float(np.quantile(reflectance, 0.999)), 1e-6)
    return {
        "model": predicted.astype(np.float32),
        "beauty_as_albedo": light,
        "retinex": (reflectance / brightest).clip(0, 1).astype(np.float32),
        "constant": np.full_like(light, 0.5),
    }.items()
