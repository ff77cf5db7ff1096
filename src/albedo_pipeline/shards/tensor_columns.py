"""Columns of tensors in Arrow files: each row has its own shape and a known place in the file.

The layout is Arrow's canonical extension type `arrow.variable_shape_tensor`
(https://arrow.apache.org/docs/format/CanonicalExtensions.html), so a file holds its shapes, and any
Arrow reader can open it. A column is a struct of two fields: `data`, a list of all values of a row,
and `shape`, a list of its axes' lengths.
"""

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

_NAME = "arrow.variable_shape_tensor"
_EXTENSION = {b"ARROW:extension:name": _NAME.encode(), b"ARROW:extension:metadata": b"{}"}


def tensor_field(name: str, example: np.ndarray) -> pa.Field:
    """Field of a schema for tensors with the type and number of axes of `example`."""
    values = pa.list_(pa.from_numpy_dtype(example.dtype))
    shape = pa.list_(pa.int32(), example.ndim)
    storage = pa.struct([pa.field("data", values), pa.field("shape", shape)])
    return pa.field(name, storage, metadata=_EXTENSION)


def is_tensor(field: pa.Field) -> bool:
    """Whether a field was made by `tensor_field`.

    Versions of pyarrow that implement the extension name it in the type, others in the metadata.
    """
    name = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode()
    return _NAME in (name, getattr(field.type, "extension_name", None))


def tensor_array(values: list[np.ndarray]) -> pa.StructArray:
    """Column of tensors with one type and number of axes; a single tensor is not copied."""
    flat = [np.ascontiguousarray(value).reshape(-1) for value in values]
    offsets = np.cumsum([0, *map(len, flat)], dtype=np.int32)
    joined = pa.array(flat[0] if len(flat) == 1 else np.concatenate(flat))
    shapes = pa.array(np.concatenate([value.shape for value in values]).astype(np.int32))
    return pa.StructArray.from_arrays(
        [
            pa.ListArray.from_arrays(pa.array(offsets), joined),
            pa.FixedSizeListArray.from_arrays(shapes, values[0].ndim),
        ],
        ["data", "shape"],
    )


@dataclass(frozen=True)
class TensorColumn:
    """Positions of a column's rows in their file."""

    offsets: np.ndarray
    """Bytes from the start of the file to each row's values, int64 [rows]."""
    shapes: np.ndarray
    """Shape of each row's tensor, int32 [rows, axes]."""
    dtype: np.dtype
    """Type of the values."""

    def row_bytes(self, row: int) -> int:
        """Size of one row's tensor in bytes."""
        return self.dtype.itemsize * math.prod(map(int, self.shapes[row]))


def locate(batches: list[pa.RecordBatch], name: str, start_of_file: int) -> TensorColumn:
    """Find a column's rows in record batches of a mapped file.

    Arrow's buffers of a mapped file are addresses in the mapping, so a value's offset in the file
    is `address of the column's values + width * index of the value - start_of_file`.

    Args:
        batches: record batches of the mapped file.
        name: name of the column.
        start_of_file: address of the first byte of the mapping.
    """
    offsets, shapes = [], []
    for batch in batches:
        column = batch.column(name)
        data, shape = getattr(column, "storage", column).flatten()
        dtype = data.type.value_type.to_pandas_dtype()
        width = data.type.value_type.bit_width // 8
        first = data.values.buffers()[1].address - start_of_file  # buffer 0: which are null
        offsets.append(first + width * data.offsets[:-1].to_numpy().astype(np.int64))
        shapes.append(shape.values.to_numpy().reshape(-1, shape.type.list_size))
    return TensorColumn(np.concatenate(offsets), _held_once(shapes), np.dtype(dtype))


def _held_once(shapes: list[np.ndarray]) -> np.ndarray:
    """All shapes, int32 [rows, axes]; if they are equal, one is in memory for all rows."""
    joined = np.concatenate(shapes)
    if len(joined) and (joined == joined[0]).all():
        return np.broadcast_to(joined[0].copy(), joined.shape)
    return joined
