"""Scalars of shards as text, for digests: column by column, because Arrow's rows are slow."""

import json

import pyarrow as pa


def json_text(scalars: pa.RecordBatch | pa.Table) -> bytes:
    """The rows as JSON objects, without anything between them."""
    columns = [_json_values(column) for column in scalars.columns]
    keys = (json.dumps(name).replace("%", "%%") for name in scalars.schema.names)
    row = "{" + ", ".join(f"{key}: %s" for key in keys) + "}"
    return "".join(map(row.__mod__, zip(*columns, strict=True))).encode()


def repr_text(column: pa.ChunkedArray | pa.Array) -> bytes:
    """All values of a column as Python writes them, without anything between them."""
    return "".join(map(repr, _values(column))).encode()


def _json_values(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Each value as JSON. A line break separates them: in a string, JSON writes it as \\n."""
    if not len(column) or pa.types.is_nested(column.type):
        return list(map(json.dumps, column.to_pylist()))
    return json.dumps(_values(column), separators=("\n", ": "))[1:-1].split("\n")


def _values(column: pa.ChunkedArray | pa.Array) -> list:
    if column.null_count or pa.types.is_nested(column.type):
        return column.to_pylist()
    return column.to_numpy(zero_copy_only=False).tolist()
