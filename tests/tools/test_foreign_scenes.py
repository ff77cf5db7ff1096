"""Scenes of the independent renderer: sound, repeatable, and readable by the catalog."""

import sys
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.readers.folder_pattern import FolderPatternDataset
from tools import foreign_scenes
from tools.foreign_scenes import ALBEDO, render


def test_renders_are_sound_and_repeatable() -> None:
    shares = []
    for scene in range(8):
        beauty, albedo, valid = render(3, scene, 24)
        assert beauty.shape == albedo.shape == (24, 24, 3)
        assert np.isfinite(beauty).all()
        assert beauty.min() >= 0
        assert albedo[valid].min() >= ALBEDO[0] - 1e-6
        assert albedo[valid].max() <= ALBEDO[1] + 1e-6
        shares.append(valid.mean())
        again = render(3, scene, 24)
        for one, other in zip((beauty, albedo, valid), again, strict=True):
            assert np.array_equal(one, other)
    assert np.mean(shares) > 0.6


def test_scenes_and_seeds_differ() -> None:
    first = render(3, 0, 16)[0]
    assert not np.array_equal(first, render(3, 1, 16)[0])
    assert not np.array_equal(first, render(4, 0, 16)[0])


def test_the_files_are_read_as_the_docstring_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["foreign_scenes", str(tmp_path), "--scenes", "2", "--resolution", "16"]
    monkeypatch.setattr(sys, "argv", arguments)
    foreign_scenes.main()
    references = FolderPatternDataset(
        filepath=str(tmp_path),
        beauty="{sample}/beauty.exr",
        albedo="{sample}/albedo.exr",
        mask="{sample}/mask.png",
        colour_space="linear",
    ).load()
    assert [(r.sample_id, r.group) for r in references] == [
        ("scene-00000", "scene-00000"),
        ("scene-00001", "scene-00001"),
    ]
    pair = references[1].load()
    beauty, albedo, valid = render(1, 1, 16)
    np.testing.assert_array_equal(pair.beauty, beauty)
    np.testing.assert_array_equal(pair.albedo[valid], albedo[valid])
    np.testing.assert_array_equal(pair.valid, valid)
