"""Shards of normalised pairs, and the samples that were rejected."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.shards import Shards


class PairShards(Shards):
    """All pairs of the project; a row is a sample.

    Scalar columns: sample_id, group, digest, and what normalising recorded. Tensor columns, as
    `imaging.pixels` stores them: beauty and albedo (uint16 [3, H, W]), valid (uint8 [1, H, W]).
    H and W may differ from row to row.
    """

    written_by = "ingest"
    held = ("sample_id", "group", "digest")

    @property
    def rejected(self) -> list[Rejected]:
        """The samples that were rejected, in the order of the sources."""
        return self.index.rejected

    def check_manifest(self, manifest: pd.DataFrame) -> None:
        """Check that the manifest has exactly these samples, in this order.

        Raises:
            ProjectError: if it has others, or pairs or manifest lack a column.
        """
        columns = ("sample_id", "digest")
        stored = self._shards[0].scalars.column_names
        for where, names in ((self.folder, stored), ("manifest", [*manifest])):
            if missing := [name for name in columns if name not in names]:
                raise ProjectError(f"{where}: no column {', '.join(missing)}; run ingest again")
        if len(manifest) != len(self) or any(
            (manifest[name].to_numpy() != self.column(name).to_numpy()).any() for name in columns
        ):
            raise ProjectError(f"{self.folder}: not the pairs of the manifest; run ingest again")

    def batch(self, name: str, rows: Iterable[int]) -> np.ndarray:
        """Rows of a tensor column that have one shape, stacked to [B, C, H, W] (a copy)."""
        return np.stack([self.tensor(name, row) for row in rows])

    def batches(self, rows: Iterable[int], size: int) -> list[np.ndarray]:
        """Divide rows into batches of at most `size`, sorted by shape, one shape in each."""
        rows = np.asarray(list(rows), dtype=np.int64)
        shapes = self.shapes("beauty")[rows]
        by_shape = [rows[(shapes == shape).all(axis=1)] for shape in np.unique(shapes, axis=0)]
        return [equal[i : i + size] for equal in by_shape for i in range(0, len(equal), size)]
