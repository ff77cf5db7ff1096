"""References that are made when they are asked for."""

import pytest

from albedo_pipeline.readers import raw_pairs
from albedo_pipeline.readers.pair_files import bad_reference
from albedo_pipeline.readers.raw_pairs import RawPairReference, ReferenceRow, References

NAMES = ["a", "b", "ü\u2028", "caf\udce9", "e", "f", "g"]


def made(row: ReferenceRow) -> RawPairReference:
    return bad_reference(row[0], str(row[1]), "")


@pytest.fixture
def references(monkeypatch: pytest.MonkeyPatch) -> References:
    monkeypatch.setattr(raw_pairs, "_ROWS_AT_A_TIME", 3)
    return References(((name, place) for place, name in enumerate(NAMES)), made, companions=2)


def test_they_are_a_sequence_in_the_order_of_the_rows(references: References) -> None:
    assert (len(references), references.companions) == (7, 2)
    assert [(r.sample_id, r.group) for r in references] == [
        (name, str(place)) for place, name in enumerate(NAMES)
    ]
    assert [references[place].sample_id for place in (6, 0, -1, 3)] == ["g", "a", "g", "caf\udce9"]
    assert [reference.sample_id for reference in references[2:6:3]] == ["ü\u2028", "f"]
    with pytest.raises(IndexError):
        references[7]


def test_those_that_are_wanted_keep_order_and_companions(references: References) -> None:
    wanted = references.where(lambda reference: reference.sample_id in "age")
    assert [(r.sample_id, r.group) for r in wanted] == [("a", "0"), ("e", "4"), ("g", "6")]
    assert wanted.companions == 2


def test_the_first_repeated_name_is_found(references: References) -> None:
    assert references.first_repeated() is None
    rows = [("a", 1), ("b", 2), ("c", 3), ("b", 4), ("a", 5)]
    assert References(rows, made).first_repeated() == (["b", 4], ["b", 2])


def test_names_with_one_hash_are_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_pairs, "hash", len, raising=False)
    assert References([("ab", 1), ("cd", 2)], made).first_repeated() is None
    assert References([("ab", 1), ("cd", 2), ("ab", 3)], made).first_repeated() == (
        ["ab", 3],
        ["ab", 1],
    )
