"""The camera move of the demo: which scene, its prediction as a sequence, error and flicker."""

import logging
import re
from typing import Any

import numpy as np
import pandas as pd

from albedo_pipeline.artifacts.camera_move import CameraMove, MoveResult
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.io.film_writer import encoded_webp
from albedo_pipeline.imaging.pixels import as_float32, dequantize
from albedo_pipeline.inference.predict_job import predict_job
from albedo_pipeline.metrics.flicker import Flicker, flicker_of_pair
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.params import PredictParams

logger = logging.getLogger(__name__)
GAP, SHOWN = 2, 128
"""Width of the white space between the pictures of the video, in pixels of a frame; and the width
from which frames are not enlarged."""


def scene_of_move(manifest: pd.DataFrame, seed: int) -> int | None:
    """Number of the first scene of the test split that `synthesize` rendered with this seed.

    Returns:
        None if there is none, because the pairs have another source.
    """
    groups = manifest.loc[manifest["split"] == "test", "group"]
    matches = (re.fullmatch(rf"seed-{seed}/scene-(\d+)", group) for group in sorted(set(groups)))
    return next((int(match[1]) for match in matches if match), None)


def predicted_move(move: CameraMove, model: AlbedoModel, params: PredictParams) -> MoveResult:
    """Predict a camera move with `sequence` and without, and measure both.

    Args:
        move: the frames.
        model: the trained model.
        params: settings of the prediction; `input` and `sequence` are set here.

    Raises:
        BadSampleError: if a frame cannot be predicted.
    """
    truth = [
        np.where(valid[..., None], encode_srgb(albedo), np.nan)
        for albedo, valid in zip(move.albedo, move.valid, strict=True)
    ]
    beauty, albedo = _predicted(move, model, params, sequence=True)
    _, alone = _predicted(move, model, params, sequence=False)
    shown = [_row(*images) for images in zip(beauty, albedo, truth, strict=True)]
    facts: dict[str, Any] = {
        "group": move.group,
        "frames": len(truth),
        "frames_per_second": move.frames_per_second,
        "video_size": list(shown[0].shape[:2]),
        "sequence": measured(albedo, truth),
        "single_frames": measured(alone, truth),
        "made_from": model.digests(),
    }
    scores = facts["sequence"]
    flicker = "none" if scores["flicker"] is None else f"{scores['flicker']:.4f}"
    logger.info("camera move: PSNR %.2f dB, flicker %s", scores["psnr"], flicker)
    video, still = (encoded_webp(f, move.frames_per_second) for f in (shown, shown[:1]))
    return MoveResult(facts, video, still)


def measured(albedo: list[np.ndarray], truth: list[np.ndarray]) -> dict[str, float | None]:
    """Mean PSNR of the frames, and the flicker where the true albedo stays the same.

    Args:
        albedo: predictions, float32 [H, W, 3], sRGB-encoded.
        truth: the same, NaN where not valid.
    """
    errors = [float(np.nanmean((a - t) ** 2)) for a, t in zip(albedo, truth, strict=True)]
    pairs = zip(albedo, albedo[1:], truth, truth[1:], strict=False)
    flicker = sum((flicker_of_pair(*pair) for pair in pairs), Flicker())
    return {
        "psnr": float(np.mean([-10 * np.log10(max(error, 1e-12)) for error in errors])),
        "flicker": flicker.mean,
        "still_share": flicker.still_share,
    }


def _predicted(
    move: CameraMove, model: AlbedoModel, params: PredictParams, sequence: bool
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Beauty and albedo of all frames, float32 [H, W, 3], sRGB-encoded."""
    changes = {"input": str(move.beauty), "sequence": sequence}
    job = predict_job(move.beauty, params.model_copy(update=changes), model)
    made = [job.make(image) for image in job.images]
    beauty = [dequantize(prediction.beauty) for prediction in made]
    return beauty, [encode_srgb(as_float32(prediction.albedo)) for prediction in made]


def _row(beauty: np.ndarray, albedo: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Beauty, prediction and truth side by side, uint8 [H, W, 3]; grey where not valid."""
    shown = np.where(np.isnan(truth), 0.5, truth)
    gap = np.ones((beauty.shape[0], GAP, 3))
    row = np.concatenate([beauty, gap, albedo, gap, shown], axis=1)
    factor = max(1, SHOWN // beauty.shape[1])  # a video stores colours at half the size
    pixels = np.rint(255 * np.clip(row, 0, 1)).astype(np.uint8)
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)
