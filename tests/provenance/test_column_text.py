"""Columns as text: exactly the text that Python writes of each value."""

import json
import math

import pyarrow as pa
import pytest

from albedo_pipeline.provenance.column_text import joined_repr, rows_as_json, values_as_json

COLUMNS = {
    "plain": ["a", "", "b c/d@1", "~!#$%&()*+,-./:;<=>?@[]^_`{|}"],
    "quotes": ["it's", 'say "so"', "both ' and \"", "plain"],
    "escapes": ["a\\b", "tab\t", "line\n", "\x7f"],
    "unicode": ["ä", "日本", "é", "\u2028"],
    "missing": ["a", None, "", "b"],
    "integers": [0, -5, 2**62, 7],
    "missing integers": [1, None, -3, 4],
    "floats": [0.1, -0.0, 1e-7, 3.0],
    "odd floats": [math.inf, -math.inf, 1e300, 5e-324],
    "flags": [True, False, True, True],
    "empty": [None, None, None, None],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_text_is_that_of_python(name: str) -> None:
    column = pa.array(COLUMNS[name])
    assert joined_repr(column) == "".join(map(repr, column.to_pylist())).encode()
    assert values_as_json(column).to_pylist() == list(map(json.dumps, column.to_pylist()))
    assert joined_repr(column[:0]) == b""


def test_rows_are_json_objects() -> None:
    table = pa.table({f'{name} "': values for name, values in COLUMNS.items()})
    expected = "".join(map(json.dumps, table.to_pylist())).encode()
    assert rows_as_json(table) == expected
    assert rows_as_json(pa.concat_tables([table, table])) == 2 * expected
    assert rows_as_json(table.to_batches()[0]) == expected
    assert rows_as_json(table[:0]) == b""
