"""Predicted albedo in shards."""

from albedo_pipeline.datasets.shards import Shards, ShardsDataset


class PredictionShards(Shards):
    """Predictions of the evaluated samples; a row is a sample.

    Scalar columns: sample_id, group, split. Tensor columns, stored as `imaging.pixels` does:
    prediction and roundtrip (the truth through the autoencoder), uint16 [3, H, W]; where there was
    an ensemble, uncertainty (its spread, mean of the channels), uint16 [1, H, W].
    """


class PredictionShardsDataset(ShardsDataset):
    """A folder of prediction shards; see `ShardsDataset`."""

    reader = PredictionShards
