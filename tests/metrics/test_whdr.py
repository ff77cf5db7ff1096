"""WHDR by hand (Bell et al. 2014, section 3.5)."""

import math

import numpy as np
import pytest

from albedo_pipeline.metrics.whdr import Judgement, whdr

GREY = np.array([[0.1, 0.2], [0.105, 0.9]])
IMAGE = np.repeat(GREY[..., None], 3, axis=2)
DARK, LIGHT, ALIKE = (0.25, 0.25), (0.75, 0.25), (0.25, 0.75)  # 0.1, 0.2, 0.105


@pytest.mark.parametrize(
    ("first", "second", "darker", "rate"),
    [
        (DARK, LIGHT, "1", 0),
        (DARK, LIGHT, "2", 1),
        (DARK, LIGHT, "E", 1),
        (LIGHT, DARK, "2", 0),
        (DARK, ALIKE, "E", 0),  # 5 % apart: below the 10 % of delta
        (DARK, ALIKE, "1", 1),
    ],
)
def test_one_judgement(first, second, darker, rate) -> None:
    assert whdr(IMAGE, [Judgement(*first, *second, darker, 1.0)]) == rate


def test_judgements_count_by_their_weight() -> None:
    """A weight of 0.5 of 2 disagrees."""
    judgements = [
        Judgement(*DARK, *LIGHT, "1", 1.2),
        Judgement(*DARK, *ALIKE, "E", 0.3),
        Judgement(*LIGHT, *DARK, "1", 0.5),
    ]
    assert whdr(IMAGE, judgements) == pytest.approx(0.25)


def test_delta_is_the_threshold_of_about_equal() -> None:
    judgements = [Judgement(*DARK, *ALIKE, "1", 1.0)]
    assert whdr(IMAGE, judgements, delta=0.04) == 0


def test_judgements_without_weight_or_answer_do_not_count() -> None:
    judgements = [
        Judgement(*DARK, *LIGHT, "2", 0.0),
        Judgement(*DARK, *LIGHT, "?", 1.0),
        Judgement(*DARK, *LIGHT, "1", 1.0),
    ]
    assert whdr(IMAGE, judgements) == 0
    assert math.isnan(whdr(IMAGE, judgements[:2]))


def test_intensity_is_the_mean_of_the_channels_and_black_has_a_floor() -> None:
    image = np.zeros((1, 2, 3))
    image[0, 1] = [0.3, 0, 0]
    assert whdr(image, [Judgement(0.1, 0.5, 0.9, 0.5, "1", 1.0)]) == 0
    assert whdr(0 * image, [Judgement(0.1, 0.5, 0.9, 0.5, "E", 1.0)]) == 0


def test_a_coordinate_of_one_belongs_to_the_last_pixel() -> None:
    assert whdr(IMAGE, [Judgement(*DARK, 1.0, 1.0, "1", 1.0)]) == 0
