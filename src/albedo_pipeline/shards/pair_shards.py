"""Normalised pairs in shards, and the list of those that were rejected on the way."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.shards import Shards


class PairShards(Shards):
    """All pairs of the project; a row is a sample.

    Scalar columns: sample_id, group, digest, and the record of the normalising. Tensor columns, as
    `imaging.pixels` stores them: beauty and albedo (uint16 [3, H, W]), valid (uint8 [1, H, W]).
    H and W may differ from row to row.
    """

    @property
    def rejected(self) -> list[Rejected]:
        """Every rejected sample."""
        return self.index.rejected

    def check_manifest(self, manifest: pd.DataFrame) -> None:
        """Raise ProjectError unless the manifest's samples are these, in this order."""
        columns = ("sample_id", "digest")
        if any(manifest[name].tolist() != self.scalars[name].to_pylist() for name in columns):
            raise ProjectError(f"{self.folder}: not the pairs of the manifest; run ingest again")

    def batch(self, name: str, rows: Iterable[int]) -> np.ndarray:
        """Rows of one shape of a tensor column, stacked (a copy): [B, C, H, W]."""
        return np.stack([self.tensor(name, row) for row in rows])

    def batches(self, rows: Iterable[int], size: int) -> list[np.ndarray]:
        """The rows in batches of one image shape each, at most `size`; shapes one by one."""
        rows = np.asarray(list(rows), dtype=np.int64)
        shapes = self.shapes("beauty")[rows]
        parts = [rows[(shapes == shape).all(axis=1)] for shape in np.unique(shapes, axis=0)]
        return [part[i : i + size] for part in parts for i in range(0, len(part), size)]
