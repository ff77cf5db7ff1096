"""Nodes of `autoencoder`."""

from collections.abc import Callable
from pathlib import Path

from albedo_pipeline.node_types import (
    AutoencoderKL,
    Checkpoints,
    DataFrame,
    LatentShards,
    PairShards,
)
from albedo_pipeline.params import AutoencoderParams


def make_autoencoder(
    pairs: PairShards,
    manifest: DataFrame,
    params: AutoencoderParams,
    checkpoints: Checkpoints,
    tensorboard: Path,
    encoded_latents: Callable[[], LatentShards],
) -> AutoencoderKL:
    """The bundled, a pretrained, or a trained `AutoencoderKL`."""
    from albedo_pipeline.provenance.lineage import check_manifest
    from albedo_pipeline.training.autoencoder import obtain_autoencoder

    pairs.check_manifest(manifest)
    check_manifest(manifest)
    return obtain_autoencoder(pairs, manifest, params, checkpoints, tensorboard, encoded_latents)


def check_autoencoder(
    autoencoder: AutoencoderKL,
    pairs: PairShards,
    manifest: DataFrame,
    params: AutoencoderParams,
    checkpoints: Checkpoints,
) -> dict:
    """Scores of the round trip on the validation split, the ceiling of any denoiser; and the course
    of its training, if there was one."""
    from albedo_pipeline.evaluation.round_trip import round_trip_report
    from albedo_pipeline.provenance.lineage import with_content
    from albedo_pipeline.provenance.weights import encoder_digest
    from albedo_pipeline.training.course import stored_course

    rows = manifest.loc[manifest["split"] == "validation", "row"].to_numpy()
    report = round_trip_report(autoencoder, pairs, rows, params)
    made_from = {"encoder": encoder_digest(autoencoder)}
    course = {"course": stored_course(checkpoints)} if params.is_trained else {}
    return with_content({"source": params.source} | report | made_from | course)
