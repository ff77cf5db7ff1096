"""Merging of similar image sizes."""

import numpy as np

from albedo_pipeline.reporting.plots.image_sizes import MAX_DOTS, merge_sizes


def test_many_sizes_are_merged_and_no_sample_is_lost() -> None:
    sizes = np.random.default_rng(0).integers(64, 9000, (20_000, 2))
    kinds, counts = merge_sizes(sizes, MAX_DOTS)
    assert len(kinds) == len(counts) <= MAX_DOTS
    assert counts.sum() == len(sizes)
    few, ones = merge_sizes(sizes[:9], MAX_DOTS)
    assert sorted(few.tolist()) == sorted(sizes[:9].tolist())
    assert ones.tolist() == [1] * 9
