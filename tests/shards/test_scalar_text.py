"""Scalars as text, on which names and fingerprints of shards depend: the bytes of row by row."""

import json
import math

import pyarrow as pa

from albedo_pipeline.shards.scalar_text import json_text, repr_text

COLUMNS = {
    "sample_id": ["a", "", '"}, {\\\n\t', "é\u2028\x00", None],
    "100 % %s": [0.1, math.nan, math.inf, -0.0, 1e300],
    "number": [1, -(2**63), 2**63 - 1, 0, None],
    "flag": [True, False, True, None, False],
    "list": [[1, 2], [], None, [3], [4]],
}


def test_the_text_is_that_of_the_rows() -> None:
    table = pa.table(COLUMNS)
    assert json_text(table) == "".join(map(json.dumps, table.to_pylist())).encode()


def test_a_column_without_missing_values_has_the_same_text() -> None:
    for name, values in COLUMNS.items():
        known = [value for value in values if value is not None]
        column = pa.chunked_array([known[:2], known[2:]])
        assert (
            json_text(pa.table({name: column}))
            == "".join(json.dumps({name: value}) for value in known).encode()
        )
        assert repr_text(column) == "".join(map(repr, known)).encode()


def test_no_rows_have_no_text() -> None:
    assert json_text(pa.table({"a": pa.array([], pa.string())})) == b""
