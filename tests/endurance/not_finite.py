"""Writes NaN into results, with digests that agree with it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from albedo_pipeline.artifacts.tables import TableDataset
from albedo_pipeline.runtime.checksums import CHECKSUMS, write_checksums
from albedo_pipeline.shards.datasets import ShardsDataset
from albedo_pipeline.shards.index import read_index
from albedo_pipeline.shards.shard_file import DIGEST, Row, open_shard
from benchmarks.row_build import save_rows


def in_weights(path: Path, file: Path) -> bool:
    """A NaN as the first value of each tensor of a safetensors file."""
    tensors = load_file(file)
    for tensor in tensors.values():
        tensor.view(-1)[:1] = torch.nan
    save_file(tensors, file)
    for folder in (file.parent, *file.parents):
        if (folder / CHECKSUMS).is_file():
            write_checksums(folder)
            return True
        if folder == path:
            break
    return True


def in_shards(path: Path, file: Path) -> bool:
    """A NaN as the first value of each tensor of floats; a shard of integers can have none."""
    shards = [open_shard(path / name) for name in read_index(path).shards]
    if not any(column.dtype.kind == "f" for column in shards[0].columns.values()):
        return False

    def rows() -> Iterator[Row]:
        for shard in shards:
            for number in range(len(shard.scalars)):
                row = {k: v for k, v in shard.row(number).items() if k != DIGEST}
                yield {name: _with_nan(value) for name, value in row.items()}

    save_rows(ShardsDataset(filepath=str(path)), rows())
    return True


def in_table(path: Path, file: Path) -> bool:
    """NaN in the first row of each column of floats."""
    table = pd.read_parquet(file)
    floats = table.select_dtypes("float").columns
    if table.empty or floats.empty:
        return False
    table.loc[table.index[0], floats] = np.nan
    TableDataset(filepath=str(file), written_by="").save(table)
    return True


def in_json(path: Path, file: Path) -> bool:
    """Not done: JSON of the project has no NaN."""
    return False


def _with_nan(value: object) -> object:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value = value.copy()
        value.reshape(-1)[:1] = np.nan
    return value


NOT_FINITE: dict[str, Callable[[Path, Path], bool]] = {
    ".safetensors": in_weights,
    ".arrow": in_shards,
    ".parquet": in_table,
    ".json": in_json,
}
"""What writes the NaN, by the suffix of the damaged file."""
