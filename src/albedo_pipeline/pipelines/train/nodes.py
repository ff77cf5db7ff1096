"""Nodes of `train`."""

from typing import Any

import pandas as pd

from albedo_pipeline.datasets.latent_shards import LatentShards
from albedo_pipeline.params import TrainParams


def train(latents: LatentShards, params: TrainParams, tensorboard: Any) -> tuple[Any, pd.DataFrame]:
    """The denoiser with EMA weights, and the training log."""
    from albedo_pipeline.training.denoiser import train_denoiser

    return train_denoiser(latents, params, tensorboard)
