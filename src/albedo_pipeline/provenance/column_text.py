"""Columns of scalars as text for digests, joined by Arrow instead of value by value.

Digests that are stored were made from Python's own text of each value, so every function here gives
exactly that text. Values whose text Arrow would write otherwise are left to Python.
"""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_PLAIN = r"^[ !#-&(-\[\]-~]*$"
"""Printable ASCII without quotes and backslash: the same in Python's and in JSON's text."""


def joined_repr(column: pa.Array | pa.ChunkedArray) -> bytes:
    """`repr` of all values of a column, without anything between them."""
    column = _in_one_piece(column)
    if _is_plain(column):
        return _concatenated(_quoted(column, "'"))
    if pa.types.is_integer(column.type) and not column.null_count:
        return _concatenated(column.cast(pa.large_string()))
    return "".join(map(repr, column.to_pylist())).encode()


def rows_as_json(table: pa.RecordBatch | pa.Table) -> bytes:
    """`json.dumps` of all rows of a table as dictionaries, without anything between them."""
    if not len(table):
        return b""
    parts: list[pa.Array | pa.Scalar] = []
    opening = "{"
    for name, column in zip(table.schema.names, table.columns, strict=True):
        parts += [pa.scalar(f"{opening}{json.dumps(name)}: "), values_as_json(column)]
        opening = ", "
    large = [part.cast(pa.large_string()) for part in (*parts, pa.scalar("}"), pa.scalar(""))]
    return _concatenated(pc.binary_join_element_wise(*large))


def values_as_json(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """`json.dumps` of each value of a column, as an array of strings."""
    column = _in_one_piece(column)
    if _is_plain(column):
        return _quoted(column, '"')
    if pa.types.is_integer(column.type) and not column.null_count:
        return column.cast(pa.large_string())
    return pa.array(map(json.dumps, column.to_pylist()), pa.large_string())


def _is_plain(column: pa.Array) -> bool:
    """Whether a column holds strings alone that are the same in Python's and in JSON's text."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    return not column.null_count and pc.all(pc.match_substring_regex(column, _PLAIN)).as_py()


def _quoted(column: pa.Array, mark: str) -> pa.Array:
    quote, nothing = (pa.scalar(text, pa.large_string()) for text in (mark, ""))
    return pc.binary_join_element_wise(quote, column, quote, nothing)


def _in_one_piece(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as one array; strings with 64-bit offsets, so that joining cannot overflow."""
    is_text = pa.types.is_string(column.type)
    column = column.cast(pa.large_string()) if is_text else column
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _concatenated(strings: pa.Array) -> bytes:
    """All strings of an array without missing values, one after the other."""
    if not len(strings):
        return b""
    strings = _in_one_piece(strings)
    _, offsets, content = strings.buffers()
    ends = np.frombuffer(offsets, np.int64)[strings.offset : strings.offset + len(strings) + 1]
    return content[int(ends[0]) : int(ends[-1])].to_pybytes() if content else b""
