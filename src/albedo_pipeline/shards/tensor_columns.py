"""Columns of tensors in Arrow files: each row its own shape, at a known place in the file.

The layout is Arrow's canonical extension type `arrow.variable_shape_tensor`, so a file tells its
own shapes, and any Arrow reader can open it.
"""

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

_NAME = "arrow.variable_shape_tensor"
_EXTENSION = {b"ARROW:extension:name": _NAME.encode(), b"ARROW:extension:metadata": b"{}"}


def tensor_field(name: str, example: np.ndarray) -> pa.Field:
    """Field of tensors with the type and the number of axes of `example`."""
    values = pa.list_(pa.from_numpy_dtype(example.dtype))
    shape = pa.list_(pa.int32(), example.ndim)
    storage = pa.struct([pa.field("data", values), pa.field("shape", shape)])
    return pa.field(name, storage, metadata=_EXTENSION)


def is_tensor(field: pa.Field) -> bool:
    """Whether a field was made by `tensor_field`; newer versions of Arrow know the type."""
    told = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode()
    return _NAME in (told, getattr(field.type, "extension_name", None))


def tensor_array(values: list[np.ndarray]) -> pa.StructArray:
    """Tensors of one type and number of axes, as a column; a single one is not copied."""
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
    """Where the rows of a column lie in their file."""

    offsets: np.ndarray
    """int64 [rows], bytes from the file's start."""
    shapes: np.ndarray
    """int32 [rows, axes]."""
    dtype: np.dtype

    def row_bytes(self, row: int) -> int:
        """Size of one row's tensor."""
        return self.dtype.itemsize * math.prod(map(int, self.shapes[row]))


def locate(batches: list[pa.RecordBatch], name: str, start_of_file: int) -> TensorColumn:
    """Find a column's rows in batches that lie in a mapped file."""
    offsets, shapes = [], []
    for batch in batches:
        column = batch.column(name)
        data, shape = getattr(column, "storage", column).flatten()
        dtype = data.type.value_type.to_pandas_dtype()
        width = data.type.value_type.bit_width // 8
        first = data.values.buffers()[1].address - start_of_file
        offsets.append(first + width * data.offsets[:-1].to_numpy().astype(np.int64))
        shapes.append(shape.values.to_numpy().reshape(-1, shape.type.list_size))
    return TensorColumn(np.concatenate(offsets), np.concatenate(shapes), np.dtype(dtype))
