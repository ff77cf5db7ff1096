"""Nodes of `train`."""

from albedo_pipeline.hints import DataFrame, Denoiser, LatentShards, SummaryWriter
from albedo_pipeline.params import TrainParams


def train(
    latents: LatentShards, params: TrainParams, tensorboard: SummaryWriter
) -> tuple[Denoiser, DataFrame, dict]:
    """The denoiser with EMA weights, the training log, and the settings they were made with."""
    from albedo_pipeline.training.denoiser import train_denoiser

    return *train_denoiser(latents, params, tensorboard), params.model_dump(mode="json")
