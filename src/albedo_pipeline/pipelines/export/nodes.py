"""Nodes of `export`."""

import logging
from pathlib import Path

from albedo_pipeline.node_types import AlbedoModel, AutoencoderKL, Denoiser, Export, LatentShards
from albedo_pipeline.params import ExportParams

logger = logging.getLogger(__name__)


def make_export(
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    latents: LatentShards,
    metrics: dict,
    audit_summary: dict,
    train_settings: dict,
    space: Path,
    params: ExportParams,
) -> Export:
    """The model as a diffusers pipeline, with its model card.

    `space` is where `publish` writes the app afterwards.
    """
    from albedo_pipeline.models.albedo_model import AlbedoModel
    from albedo_pipeline.models.export import Export, intrinsics_pipeline, text_source, trained_side
    from albedo_pipeline.models.reference import make_reference
    from albedo_pipeline.models.space import check_space
    from albedo_pipeline.reporting.lineage import check_export
    from albedo_pipeline.reporting.model_card.card import model_card

    if params.space:
        check_space(space)  # now, not after the export
    weights = AlbedoModel(denoiser, autoencoder).digests()
    check_export(weights, denoiser.made_from, latents, metrics, audit_summary, train_settings)
    source = text_source(train_settings)
    side = train_settings.get("augmentation", {}).get("crop") or trained_side(latents, autoencoder)
    card = model_card(metrics, audit_summary, train_settings, side, params)
    pipeline = intrinsics_pipeline(
        denoiser, autoencoder, source, metrics["protocol"]["steps"], side
    )
    # Not the models that it was compared with, whose names may be paths of this machine.
    scored = {name: metrics["lineage"][name] for name in ("denoiser", "predictions", "content")}
    reference = make_reference(pipeline, side)
    return Export(pipeline, card, denoiser.made_from | scored, reference)


def publish(export: AlbedoModel, folder: Path, space: Path, params: ExportParams) -> None:
    """Write the app as a Space, and upload the exported folder, if the settings say so.

    `export` is the folder opened as a model; loading it has shown that it is complete.
    """
    from albedo_pipeline.models.hub import upload
    from albedo_pipeline.models.space import write_space

    logger.info("The model is ready: %s", folder)
    if params.space:
        write_space(space, folder, params.title, params.license)
        logger.info("The Space is ready: %s", space)
    if params.push_to_hub:
        upload(folder, params.push_to_hub, params.private)
