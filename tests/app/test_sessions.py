"""What the app keeps for each open page."""

from pathlib import Path

import pytest

from albedo_pipeline.app.sessions import Sessions


def test_a_new_prediction_of_a_page_ends_its_earlier_one_but_not_that_of_others(
    tmp_path: Path,
) -> None:
    sessions = Sessions(tmp_path / "results")
    first, folder = sessions.start("one")
    other, _ = sessions.start("other")
    second, again = sessions.start("one")
    assert (first.is_set(), second.is_set(), other.is_set()) == (True, False, False)
    assert folder == again
    sessions.cancel("one")
    sessions.cancel("one")
    assert (second.is_set(), other.is_set()) == (True, False)


def test_a_closed_page_leaves_no_files(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    event, folder = sessions.start("one")
    (folder / "a.exr").touch()
    sessions.end("one")
    sessions.end("unknown")
    assert event.is_set()
    assert not folder.exists()


@pytest.mark.parametrize("name", ["{folder}/others", "../others", "..", ".", "a/b"])
def test_a_page_cannot_name_a_folder_of_others(tmp_path: Path, name: str) -> None:
    (tmp_path / "others").mkdir()
    sessions = Sessions(tmp_path / "results")
    session = name.format(folder=tmp_path)
    _, folder = sessions.start(session)
    assert folder.parent == tmp_path / "results"
    sessions.end(session)
    assert (tmp_path / "others").is_dir()
    assert (tmp_path / "results").is_dir()
