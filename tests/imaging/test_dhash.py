"""The perceptual hash: near for the same image, far for another one."""

import numpy as np

from albedo_pipeline.imaging.dhash import difference_hash
from tests.support.pairs import tiled_scene


def test_the_hash_survives_exposure_and_noise_and_distinguishes_images() -> None:
    first, second = (tiled_scene(seed=seed)[0] for seed in (0, 1))
    noisy = first * 3 * (1 + 0.01 * np.random.default_rng(0).normal(size=first.shape))
    hashes = [difference_hash(grey.astype(np.float32)) for grey in (first, noisy, second)]
    near, far = (bin((hashes[0] ^ other) & (2**64 - 1)).count("1") for other in hashes[1:])
    assert near <= 3
    assert far > 16
