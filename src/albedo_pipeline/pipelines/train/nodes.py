"""Nodes of `train`."""

from albedo_pipeline.hints import DataFrame, Denoiser, LatentShards, SummaryWriter
from albedo_pipeline.params import TrainParams


def train(
    latents: LatentShards, params: TrainParams, tensorboard: SummaryWriter
) -> tuple[Denoiser, DataFrame]:
    """The denoiser with EMA weights, and the training log."""
    from albedo_pipeline.training.denoiser import train_denoiser

    return train_denoiser(latents, params, tensorboard)
