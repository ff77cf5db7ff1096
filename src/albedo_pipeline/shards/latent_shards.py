"""Shards of latents, as training reads them."""

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.provenance.lineage import pairs_digest
from albedo_pipeline.shards.shards import Shards


class LatentShards(Shards):
    """All latents of the project; a row is a sample.

    Scalar columns: sample_id, group, split, valid_cells (the number of valid cells, the same in
    both versions), digest, and what the row was made from: pair_digest (digest of the pair) and
    encoder_digest (see `provenance.weights`). Tensor columns, whose first axis is the version
    (0: as it is, 1: flipped left to right): beauty and albedo (float16 [2, C, h, w], scaled
    posterior means), valid (uint8 [2, 1, h, w], 1 if all pixels of the cell are valid). h and w may
    differ from row to row.
    """

    written_by = "encode"

    def rows(self, split: str) -> np.ndarray:
        """Numbers of the split's rows.

        Raises:
            ProjectError: if the split has no sample.
        """
        rows = np.flatnonzero(self.scalars["split"].to_numpy(zero_copy_only=False) == split)
        if not len(rows):
            raise ProjectError(f"{self.folder}: no sample in split {split!r}")
        return rows

    def valid_cells(self) -> np.ndarray:
        """Number of valid cells of every row.

        Raises:
            ProjectError: if an earlier version of the project wrote the shards without them.
        """
        if "valid_cells" not in self.scalars.column_names:
            raise ProjectError(f"{self.folder}: made by an earlier version; run encode again")
        return self.scalars["valid_cells"].to_numpy()

    def made_from(self) -> dict[str, str]:
        """Digests of pairs and encoder; empty if an earlier version of the project wrote them."""
        if "encoder_digest" not in self.scalars.column_names:
            return {}
        columns = ("sample_id", "pair_digest", "group", "split")
        return {
            "pairs": pairs_digest(self.scalars[name].to_pylist() for name in columns),
            "encoder": self.scalars["encoder_digest"][0].as_py(),
        }
