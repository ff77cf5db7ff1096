"""Targets that are no albedo: which pixels each rule masks, and what is recorded."""

import numpy as np
import pytest

from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.prepare_pair import PreparedPair, prepare_pair
from albedo_pipeline.imaging.target_checks import TargetRules, target_masks

ALL = np.ones((4, 5), bool)


def exposure(policy: str = "none", stops: float = 0) -> dict:
    return {"policy": policy, "percentile": 90, "target": 0.8, "stops": stops}


def pair() -> tuple[np.ndarray, np.ndarray]:
    """A grey beauty of 0.2 and an albedo of 0.5. In row 0 the albedo has a channel above 1, in row
    1 it is black; the last two columns of the beauty are dark."""
    beauty, albedo = np.full((4, 5, 3), 0.2, np.float32), np.full((4, 5, 3), 0.5, np.float32)
    beauty[:, 3:] = 0.01
    albedo[0, :, 1], albedo[1] = 1.5, 0
    return beauty, albedo


def prepared(rules: TargetRules, valid: np.ndarray = ALL, **policy) -> PreparedPair:
    beauty, albedo = (Image(pixels, "linear", "float") for pixels in pair())
    return prepare_pair(beauty, albedo, valid, exposure(**policy), rules)


def shares(made: PreparedPair) -> tuple[float, float]:
    return made.record["masked_above_share"], made.record["masked_black_share"]


def test_without_a_rule_every_target_is_an_albedo() -> None:
    made = prepared(TargetRules())
    assert made.valid.all()
    assert shares(made) == (0, 0)


def test_targets_above_a_limit() -> None:
    made = prepared(TargetRules(max_albedo=1))
    assert np.argwhere(~made.valid).tolist() == [[0, x] for x in range(5)]
    assert shares(made) == (0.25, 0)
    assert prepared(TargetRules(max_albedo=1.5)).valid.all()


def test_black_targets_are_masked_only_under_a_bright_beauty() -> None:
    made = prepared(TargetRules(black_albedo=0))
    assert np.argwhere(~made.valid).tolist() == [[1, 0], [1, 1], [1, 2]]
    assert shares(made) == (0, 0.15)
    made = prepared(TargetRules(black_albedo=0, bright_beauty=0.005))
    assert not made.valid[1].any()
    assert prepared(TargetRules(black_albedo=0, bright_beauty=0.25)).valid.all()


def test_the_beauty_is_bright_as_it_is_exposed() -> None:
    rules = TargetRules(black_albedo=0)
    assert prepared(rules, policy="fixed", stops=-2).valid.all()  # 0.2 / 4 is below 0.1
    assert not prepared(rules, policy="fixed", stops=4).valid[1].any()  # 0.01 * 16 is above
    # The 90th percentile is found by reordering the values; the mask must not follow that.
    made = prepared(rules, policy="percentile")
    assert np.argwhere(~made.valid).tolist() == [[1, 0], [1, 1], [1, 2]]


def test_the_rules_change_the_mask_alone() -> None:
    rules = TargetRules(max_albedo=1, black_albedo=0)
    plain, masked = (prepared(r, policy="percentile") for r in (TargetRules(), rules))
    assert masked.exposure == plain.exposure
    assert shares(masked) == (0.25, 0.15)
    others = plain.record.keys() - {"masked_above_share", "masked_black_share"}
    assert {k: masked.record[k] for k in others} == {k: plain.record[k] for k in others}


def test_pixels_that_were_masked_before_are_not_counted() -> None:
    valid = ALL.copy()
    valid[:, :2] = False
    made = prepared(TargetRules(max_albedo=1, black_albedo=0), valid)
    assert shares(made) == (3 / 20, 1 / 20)


def test_rules_are_about_linear_values() -> None:
    encoded = Image(np.full((1, 1, 3), 0.5, np.float32), "srgb", "uint8")  # 0.214 linear
    brightness = np.ones((1, 1), np.float32)
    for limit, expected in ((0.21, True), (0.22, False)):
        masks = target_masks(encoded, brightness, 1.0, TargetRules(max_albedo=limit))
        assert masks["above"].item() == expected


def test_a_pair_without_any_albedo_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^every pixel is masked by ingest\.target_mask"):
        prepared(TargetRules(max_albedo=0.4, black_albedo=0.1, bright_beauty=0.001))
