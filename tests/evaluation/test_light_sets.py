"""Samples that show the same surfaces are found by their truth."""

import numpy as np

from albedo_pipeline.evaluation.light_sets import light_sets


def truths(*pictures: tuple[np.ndarray, np.ndarray]):
    return lambda row: pictures[row]


def picture(seed: int, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    albedo = np.random.default_rng(seed).integers(0, 65536, (3, side, side), dtype=np.uint16)
    return albedo, np.ones((1, side, side), np.uint8)


def relit(original: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The same surfaces, but a lamp hides a corner of them."""
    albedo, valid = (array.copy() for array in original)
    albedo[:, :8, :8] = 0
    valid[:, :8, :8] = 0
    return albedo, valid


def test_one_scene_under_several_lights_is_one_set() -> None:
    one, two = picture(1), picture(2)
    sets = light_sets(enumerate(["a", "a", "a", "a"]), truths(one, two, relit(one), relit(two)))
    assert sets == [[0, 2], [1, 3]]


def test_other_groups_are_never_of_one_set() -> None:
    assert light_sets(enumerate(["a", "b"]), truths(picture(1), picture(1))) == [[0], [1]]


def test_one_other_pixel_parts_them() -> None:
    one = picture(1)
    other = one[0].copy(), one[1]
    other[0][0, 17, 11] ^= 1
    assert light_sets(enumerate(["a", "a"]), truths(one, other)) == [[0], [1]]


def test_pictures_that_share_no_valid_pixel_say_nothing() -> None:
    albedo, valid = picture(1)
    upper, lower = valid.copy(), valid.copy()
    upper[:, 16:], lower[:, :16] = 0, 0
    assert light_sets(enumerate(["a", "a"]), truths((albedo, upper), (albedo, lower))) == [[0], [1]]


def test_sizes_may_differ() -> None:
    assert light_sets(enumerate(["a", "a"]), truths(picture(1), picture(1, 16))) == [[0], [1]]


def test_pictures_that_share_only_a_few_valid_pixels() -> None:
    """A lamp hides nearly all: hardly a place that is looked at first is valid in both."""
    albedo, valid = picture(1, 256)
    few = np.zeros_like(valid)
    few[0, 101, 37:40] = 1
    other = albedo.copy()
    other[:, 101, 38] ^= 1
    groups = ["a", "a", "a"]
    assert light_sets(enumerate(groups), truths((albedo, valid), (albedo, few), (other, few))) == [
        [0, 1],
        [2],
    ]
