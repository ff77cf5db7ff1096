"""Samples that show the same surfaces are found by their true albedo."""

import numpy as np

from albedo_pipeline.evaluation.light_sets import light_sets


def truths(*images: tuple[np.ndarray, np.ndarray]):
    return lambda row: images[row]


def image(seed: int, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    albedo = np.random.default_rng(seed).integers(0, 65536, (3, side, side), dtype=np.uint16)
    return albedo, np.ones((1, side, side), np.uint8)


def relit(original: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The same surfaces, with a lamp in front of one corner."""
    albedo, valid = (array.copy() for array in original)
    albedo[:, :8, :8] = 0
    valid[:, :8, :8] = 0
    return albedo, valid


def test_one_view_under_several_lights_is_one_set() -> None:
    one, two = image(1), image(2)
    sets = light_sets(enumerate(["a", "a", "a", "a"]), truths(one, two, relit(one), relit(two)))
    assert sets == [[0, 2], [1, 3]]


def test_samples_of_different_groups_are_never_in_one_set() -> None:
    assert light_sets(enumerate(["a", "b"]), truths(image(1), image(1))) == [[0], [1]]


def test_one_different_pixel_separates_two_samples() -> None:
    one = image(1)
    other = one[0].copy(), one[1]
    other[0][0, 17, 11] ^= 1
    assert light_sets(enumerate(["a", "a"]), truths(one, other)) == [[0], [1]]


def test_images_without_a_shared_valid_pixel_are_separate() -> None:
    albedo, valid = image(1)
    upper, lower = valid.copy(), valid.copy()
    upper[:, 16:], lower[:, :16] = 0, 0
    assert light_sets(enumerate(["a", "a"]), truths((albedo, upper), (albedo, lower))) == [[0], [1]]


def test_images_of_different_sizes_are_separate() -> None:
    assert light_sets(enumerate(["a", "a"]), truths(image(1), image(1, 16))) == [[0], [1]]


def test_a_few_shared_valid_pixels_decide() -> None:
    """A lamp hides nearly everything, so hardly any probed pixel is valid in both images."""
    albedo, valid = image(1, 256)
    few = np.zeros_like(valid)
    few[0, 101, 37:40] = 1
    other = albedo.copy()
    other[:, 101, 38] ^= 1
    groups = ["a", "a", "a"]
    assert light_sets(enumerate(groups), truths((albedo, valid), (albedo, few), (other, few))) == [
        [0, 1],
        [2],
    ]
