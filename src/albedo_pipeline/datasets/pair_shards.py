"""Normalised pairs in shards, and the list of those that were rejected on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from albedo_pipeline.datasets.atomic import replaced_folder
from albedo_pipeline.datasets.shards import Row, Shards, ShardsDataset, write_shards
from albedo_pipeline.errors import ProjectError

_REJECTED = "rejected.parquet"
_REJECTED_SCHEMA = pa.schema([(n, pa.string()) for n in ("sample_id", "group", "reason")])


@dataclass(frozen=True)
class Rejected:
    """A sample that was set aside, and why."""

    sample_id: str
    group: str
    reason: str


class PairShards(Shards):
    """All pairs of the project; a row is a sample.

    Scalar columns: sample_id, group, and the record of the normalising. Tensor columns, as
    `imaging.pixels` stores them: beauty and albedo (uint16 [3, H, W]), valid (uint8 [1, H, W]).
    """

    @property
    def rejected(self) -> pa.Table:
        """sample_id, group, reason of every rejected sample."""
        return pq.read_table(self.folder / _REJECTED)

    def check_manifest(self, sample_ids: Iterable[str]) -> None:
        """Raise ProjectError unless the manifest's samples are these, in this order."""
        if list(sample_ids) != self.scalars["sample_id"].to_pylist():
            raise ProjectError(f"{self.folder}: not the pairs of the manifest; run ingest again")

    def batch(self, name: str, rows: Iterable[int]) -> np.ndarray:
        """The rows of a tensor column, stacked (a copy): [B, C, H, W]."""
        return np.stack([self.tensor(name, row) for row in rows])


class PairShardsDataset(ShardsDataset):
    """A folder of pair shards; see `ShardsDataset`."""

    reader = PairShards

    def save(self, data: Iterable[Row | Rejected]) -> None:
        """Write the stream's rows as shards, its rejections as a table.

        Raises:
            ProjectError: where the stream holds no usable sample; the old shards stay.
        """
        rejected: list[dict] = []

        def usable() -> Iterator[Row]:
            for item in data:
                if isinstance(item, Rejected):
                    rejected.append(asdict(item))
                else:
                    yield item

        with replaced_folder(self._folder) as folder:
            write_shards(folder, usable(), self._samples_per_shard)
            pq.write_table(pa.Table.from_pylist(rejected, _REJECTED_SCHEMA), folder / _REJECTED)
            if not any(folder.glob("shard-*.arrow")):
                raise ProjectError(f"{self._folder}: no usable sample among {len(rejected)}")
