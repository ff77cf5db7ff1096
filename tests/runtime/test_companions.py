"""Companion files: which names they have, and how they are counted."""

import pytest

from albedo_pipeline.runtime.companions import is_companion, without_companions


@pytest.mark.parametrize(
    "name",
    [
        "._a.png",
        ".DS_Store",
        "Thumbs.db",
        "THUMBS.DB",
        "desktop.ini",
        "__MACOSX",
        "@eaDir",
        ".thumbs",
        ".ipynb_checkpoints",
    ],
)
def test_companions_by_name(name: str) -> None:
    assert is_companion(name)


@pytest.mark.parametrize("name", ["a.png", ".hidden.png", "_a.png", "a._b.png", "thumbs", "eaDir"])
def test_names_of_the_users_own(name: str) -> None:
    assert not is_companion(name)


def test_a_companion_folder_counts_once() -> None:
    paths = ["a/1.png", "a/._1.png", "__MACOSX/a/._1.png", "__MACOSX/._a", "b/__MACOSX/x", "c"]
    assert without_companions(paths) == (["a/1.png", "c"], 3)
