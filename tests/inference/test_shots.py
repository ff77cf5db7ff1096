"""Shots: cuts are found, and a shot has one exposure."""

import numpy as np

from albedo_pipeline.imaging.io.read import ColourImage
from albedo_pipeline.inference.shots import FrameFacts, cuts, frame_facts, plan_frames
from albedo_pipeline.params import PredictParams

RANDOM = np.random.default_rng(3)
ONE, OTHER = (RANDOM.random((32, 32, 3), dtype=np.float32) for _ in range(2))


def facts(small: np.ndarray, exposure: float | None = 1.0) -> FrameFacts:
    return FrameFacts((32, 32), exposure, small)


def test_a_cut_is_between_two_scenes() -> None:
    assert cuts([facts(s) for s in (ONE, ONE, ONE, OTHER, OTHER, OTHER)]) == [3]
    assert cuts([facts(ONE), facts(OTHER)]) == [1]


def test_a_fast_camera_and_a_flash_are_no_cuts() -> None:
    moving = [facts(np.roll(ONE, 3 * i, axis=1)) for i in range(6)]
    assert cuts(moving) == []
    flash = [facts(s) for s in (ONE, ONE, ONE, np.ones_like(ONE), ONE, ONE)]
    assert cuts(flash) == []


def test_cuts_of_dark_scenes_are_found_under_their_own_exposure() -> None:
    dark = [facts(s * 1e-4, 1e4) for s in (ONE, ONE, OTHER, OTHER)]
    assert cuts(dark) == [2]


def test_a_shot_has_the_median_exposure_of_its_frames() -> None:
    frames = [facts(ONE, e) for e in (1.0, 4.0, 1.2)] + [facts(OTHER, e) for e in (3.0, None, 3.0)]
    plans = plan_frames([*frames[:1], None, *frames[1:]])
    assert [p.shot for p in plans] == [1, 1, 1, 1, 2, 2, 2]
    assert [p.exposure for p in plans] == [1.2, 1.2, 1.2, 1.2, 3.0, 3.0, 3.0]
    assert plan_frames([facts(ONE * 0, None)] * 2)[1].exposure == 1.0


def test_the_facts_of_a_frame_are_linear_and_leave_out_what_is_not_finite() -> None:
    pixels = np.full((64, 96, 3), 0.25, np.float32)
    pixels[:2, :3] = np.nan
    measured = frame_facts(ColourImage(pixels, None, "float", space="linear"), PredictParams())
    assert measured.size == (64, 96)
    assert measured.small[0, 0].tolist() == [0, 0, 0]
    assert measured.small[5, 5].tolist() == [0.25, 0.25, 0.25]
    black = ColourImage(np.zeros((8, 8, 3), np.float32), None, "float", space="linear")
    assert frame_facts(black, PredictParams()).exposure is None
