"""Types that nodes hand to each other.

Kedro resolves a node's type hints when it lists or checks pipelines. Here the heavy classes stand
for themselves to a type checker, and for Any at run time, so that torch, pandas and their like are
imported by the nodes that run and by no command that only looks.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffusers import AutoencoderKL
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from albedo_pipeline.artifacts.checkpoints import Checkpoints
    from albedo_pipeline.artifacts.user_predictions import PredictionJob
    from albedo_pipeline.models.albedo_model import AlbedoModel
    from albedo_pipeline.models.denoiser import Denoiser
    from albedo_pipeline.models.export import Export
    from albedo_pipeline.readers.photographs import Photo
    from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference
    from albedo_pipeline.rendering import Render
    from albedo_pipeline.shards.build import ShardBuild
    from albedo_pipeline.shards.latent_shards import LatentShards
    from albedo_pipeline.shards.pair_shards import PairShards
    from albedo_pipeline.shards.shard_file import Row
    from albedo_pipeline.shards.shards import PredictionShards
else:
    AlbedoModel = AutoencoderKL = Checkpoints = DataFrame = Denoiser = Export = Figure = Any
    LatentShards = PairShards = Photo = PredictionShards = RawPair = RawPairReference = Any
    Render = Row = PredictionJob = ShardBuild = Any

__all__ = [
    "AlbedoModel",
    "AutoencoderKL",
    "Checkpoints",
    "DataFrame",
    "Denoiser",
    "Export",
    "Figure",
    "LatentShards",
    "PairShards",
    "Photo",
    "PredictionJob",
    "PredictionShards",
    "RawPair",
    "RawPairReference",
    "Render",
    "Row",
    "ShardBuild",
]
