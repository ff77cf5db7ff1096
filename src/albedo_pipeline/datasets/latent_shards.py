"""Latents in shards, as training maps them into memory."""

import numpy as np

from albedo_pipeline.datasets.shards import Shards, ShardsDataset
from albedo_pipeline.errors import ProjectError


class LatentShards(Shards):
    """All latents of the project; a row is a sample.

    Scalar columns: sample_id, group, split. Tensor columns, the first axis being the version
    (0: as it is, 1: flipped left to right): beauty and albedo (float16 [2, C, h, w], scaled
    posterior means), valid (uint8 [2, 1, h, w], 1 where all pixels of the cell are valid).
    """

    def rows(self, split: str) -> np.ndarray:
        """Numbers of the split's rows.

        Raises:
            ProjectError: where it has none.
        """
        rows = np.flatnonzero(self.scalars["split"].to_numpy(zero_copy_only=False) == split)
        if not len(rows):
            raise ProjectError(f"{self.folder}: no sample in split {split!r}")
        return rows


class LatentShardsDataset(ShardsDataset):
    """A folder of latent shards; see `ShardsDataset`."""

    reader = LatentShards
