"""Sequences: which files follow each other."""

from pathlib import Path

import numpy as np

from albedo_pipeline.artifacts.prediction_job import UserImage
from albedo_pipeline.imaging.io.film_writer import write_gif
from albedo_pipeline.inference.sequences import find_sequences


def listed(folder: Path, *names: str) -> list[UserImage]:
    """Images of these names, whose files are made if they are missing."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [UserImage(n, folder / n, n.rpartition(".")[0]) for n in sorted(names)]


def test_numbered_files_are_ordered_by_their_number(tmp_path: Path) -> None:
    images, sequences = find_sequences(
        listed(tmp_path, "s.10.exr", "s.9.exr", "s.8.exr", "t.1.exr", "note.exr", "t.2.png"), 24
    )
    assert [(s.name, s.output) for s in sequences] == [("s.[8-10].exr", "s")]
    assert [i.name for i in sequences[0].images] == ["s.8.exr", "s.9.exr", "s.10.exr"]
    assert [i.name for i in images[:3]] == ["note.exr", "t.1.exr", "t.2.png"]
    assert images[3:] == list(sequences[0].images)


def test_the_last_number_counts_and_folders_and_suffixes_divide(tmp_path: Path) -> None:
    names = [
        f"{folder}v2_{n:03d}_b.{kind}"
        for folder in ("", "room/")
        for n in (1, 2)
        for kind in ("exr", "png")
    ]
    _, sequences = find_sequences(listed(tmp_path, *names, "7.png", "8.png"), 24)
    assert [s.name for s in sequences] == [
        "[7-8].png",
        "room/v2_[001-002]_b.exr",
        "room/v2_[001-002]_b.png",
        "v2_[001-002]_b.exr",
        "v2_[001-002]_b.png",
    ]
    outputs = [s.output for s in sequences]
    assert outputs[0] == "frames"
    assert len(set(outputs)) == 5


def test_a_changed_frame_changes_the_context_of_all(tmp_path: Path) -> None:
    files = listed(tmp_path, "s.1.exr", "s.2.exr")
    before = find_sequences(files, 24)[0]
    assert before[0].context == before[1].context != ""
    (tmp_path / "s.2.exr").write_bytes(b"other")
    assert find_sequences(files, 24)[0][0].context != before[0].context


def test_missing_numbers_are_named(tmp_path: Path, caplog) -> None:
    find_sequences(listed(tmp_path, "s.1.exr", "s.3.exr", "s.6.exr"), 24)
    assert "s.[1-6].exr: 3 frame(s) are missing: 2, 4, 5" in caplog.text


def test_an_animation_becomes_its_frames_and_a_still_one_stays(tmp_path: Path) -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    write_gif(tmp_path / "move.gif", [picture, picture + 90, picture + 200], 10)
    write_gif(tmp_path / "still.gif", [picture], 10)
    images, sequences = find_sequences(listed(tmp_path, "move.gif", "still.gif", "broken.gif"), 24)
    assert [(s.name, s.frames_per_second) for s in sequences] == [("move.gif", 10)]
    assert [(i.name, i.frame) for i in images] == [
        ("broken.gif", None),
        ("still.gif", None),
        ("move.gif/0001", 0),
        ("move.gif/0002", 1),
        ("move.gif/0003", 2),
    ]
