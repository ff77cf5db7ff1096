"""Nodes of `sequence`."""

import logging

from albedo_pipeline.node_types import (
    AutoencoderKL,
    CameraMove,
    Checkpoints,
    DataFrame,
    Denoiser,
    MoveResult,
    RenderedMove,
)
from albedo_pipeline.params import EvaluateParams, IngestParams, SequenceParams, SynthesizeParams

logger = logging.getLogger(__name__)


def render_camera_move(
    manifest: DataFrame, synthesize: SynthesizeParams, params: SequenceParams
) -> RenderedMove:
    """The frames of a camera move through a rendered test scene; none if there is no such scene."""
    from albedo_pipeline.artifacts.camera_move import RenderedMove
    from albedo_pipeline.evaluation.camera_move import scene_of_move
    from albedo_pipeline.rendering import RenderSettings, render_move
    from albedo_pipeline.runtime.progress import progress

    scene = scene_of_move(manifest, synthesize.seed)
    if scene is None:
        logger.info("sequence: no test sample is a render of `synthesize`, so there is no move")
        return RenderedMove("", params.frames_per_second, iter(()))
    settings = RenderSettings(
        params.resolution, synthesize.samples_per_pixel, synthesize.max_depth, synthesize.world
    )
    renders = render_move(
        synthesize.seed, scene, params.frames, params.degrees, settings, synthesize.processes
    )
    frames = ((r.beauty, r.albedo, r.valid) for r in renders)
    counted = progress(frames, params.frames, "sequence")
    group = f"seed-{synthesize.seed}/scene-{scene:05d}"
    return RenderedMove(group, params.frames_per_second, counted)


def predict_camera_move(
    move: CameraMove | None,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    checkpoints: Checkpoints,
    evaluate: EvaluateParams,
    ingest: IngestParams,
) -> MoveResult:
    """The move's albedo as a video with its numbers.

    It is predicted with `predict.sequence`, by the weights that `evaluate` scores.
    """
    from albedo_pipeline.artifacts.camera_move import NO_RESULT
    from albedo_pipeline.evaluation.camera_move import predicted_move
    from albedo_pipeline.evaluation.estimators.checkpoint import checkpoint_folder, load_averages
    from albedo_pipeline.models.albedo_model import AlbedoModel
    from albedo_pipeline.params import PredictParams

    if move is None:
        return NO_RESULT
    if evaluate.checkpoint is not None:
        chosen = checkpoint_folder(checkpoints, evaluate.checkpoint)
        load_averages(chosen, denoiser, autoencoder)
    shared = {name: getattr(evaluate, name) for name in ("steps", "seed", "device", "precision")}
    params = PredictParams(**shared, exposure=ingest.exposure)
    return predicted_move(move, AlbedoModel(denoiser, autoencoder), params)
