"""Nodes of `plan`."""

from albedo_pipeline.params import AutoencoderParams, IngestParams, PlanParams, TrainParams


def plan_training(
    train: TrainParams, autoencoder: AutoencoderParams, ingest: IngestParams, params: PlanParams
) -> dict:
    """What the trainings with these settings take: memory, operations, disk, and hours on cards."""
    from albedo_pipeline.training.plan.table import plan_of_settings

    return plan_of_settings(train, autoencoder, ingest, params)
