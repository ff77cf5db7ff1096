"""Types of the nodes' inputs and outputs, for type hints only.

Kedro resolves the type hints of nodes when it lists or checks pipelines. A type checker sees the
real classes here; at run time they are all `Any`. So `kedro registry list` and `kedro viz` do not
import torch or pandas: the nodes do it when they run.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffusers import AutoencoderKL
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from albedo_pipeline.artifacts.camera_move import CameraMove, MoveResult, RenderedMove
    from albedo_pipeline.artifacts.checkpoints import Checkpoints
    from albedo_pipeline.artifacts.comparison import Comparison
    from albedo_pipeline.artifacts.pair_sets import PairSet
    from albedo_pipeline.artifacts.prediction_job import PredictionJob
    from albedo_pipeline.models.albedo_model import AlbedoModel
    from albedo_pipeline.models.denoiser import Denoiser
    from albedo_pipeline.models.export import Export
    from albedo_pipeline.preprocessing.splits import PublishedSplit
    from albedo_pipeline.readers.photographs import Photo
    from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference
    from albedo_pipeline.rendering import Render
    from albedo_pipeline.shards.build import ShardBuild
    from albedo_pipeline.shards.latent_shards import LatentShards
    from albedo_pipeline.shards.pair_shards import PairShards
    from albedo_pipeline.shards.shards import PredictionShards
else:
    AlbedoModel = AutoencoderKL = Checkpoints = Comparison = DataFrame = Denoiser = Export = (
        Figure
    ) = Any
    LatentShards = PairShards = Photo = PredictionShards = RawPair = RawPairReference = Any
    CameraMove = MoveResult = RenderedMove = Any
    Render = PairSet = PredictionJob = PublishedSplit = ShardBuild = Any

__all__ = [
    "AlbedoModel",
    "AutoencoderKL",
    "CameraMove",
    "Checkpoints",
    "Comparison",
    "DataFrame",
    "Denoiser",
    "Export",
    "Figure",
    "LatentShards",
    "MoveResult",
    "PairSet",
    "PairShards",
    "Photo",
    "PredictionJob",
    "PredictionShards",
    "PublishedSplit",
    "RawPair",
    "RawPairReference",
    "Render",
    "RenderedMove",
    "ShardBuild",
]
