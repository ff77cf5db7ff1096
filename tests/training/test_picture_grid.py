"""The animation of a training's pictures: captions, order, times and colours."""

from pathlib import Path

import numpy as np
from PIL import Image

from albedo_pipeline.training.picture_grid import write_animation

CAPTION = 18


def test_an_animation_has_captions_and_keeps_the_hue_of_rare_colours(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    grey = random.integers(0, 256, (64, 160, 1), dtype=np.uint8).repeat(3, axis=2)
    grey[:2, :2] = (255, 120, 0)  # four orange pixels among ten thousand grey ones
    noise = random.integers(0, 256, grey.shape, dtype=np.uint8)
    pictures = {"step 1": noise[:8], "step 2": noise, "step 3": grey}
    for name, picture in pictures.items():
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    frames = {name: tmp_path / f"{name}.png" for name in pictures}
    write_animation(tmp_path / "course.gif", frames, 0.5)
    with Image.open(tmp_path / "course.gif") as course:
        assert course.n_frames == 2  # the first has another size
        assert course.size == (160, CAPTION + 64)
        assert course.info["duration"] == 500
        course.seek(1)
        assert course.info["duration"] == 2000
        shown = np.asarray(course.convert("RGB")).astype(int)
    assert (shown[:CAPTION] < 128).any()  # the caption
    assert np.abs(shown[CAPTION:] - grey).max() <= 12
