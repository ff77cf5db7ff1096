"""Contrasts: a wrong declaration shows in most images of a kind, not in a single one."""

import numpy as np
import pandas as pd

from albedo_pipeline.preprocessing.contrasts import MIN_SAMPLES, contrast_doubts


def manifest(contrasts: list[float], albedo_space: str = "linear") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "edge_contrast": contrasts,
            "beauty_space": "linear",
            "albedo_space": albedo_space,
            "beauty_type": "half",
            "albedo_type": "half",
        }
    )


def test_one_low_contrast_among_many_is_no_doubt() -> None:
    assert contrast_doubts(manifest([0.3] + [0.9] * MIN_SAMPLES)) == [""] * (MIN_SAMPLES + 1)


def test_if_most_contrasts_are_low_all_samples_are_in_doubt() -> None:
    doubts = contrast_doubts(manifest([np.nan, 0.9] + [0.4] * MIN_SAMPLES))
    assert all(doubt.startswith("beauty: declared linear, but looks encoded") for doubt in doubts)


def test_too_few_samples_are_no_doubt() -> None:
    assert contrast_doubts(manifest([0.4] * (MIN_SAMPLES - 1))) == [""] * (MIN_SAMPLES - 1)


def test_a_high_contrast_is_judged_by_itself() -> None:
    doubts = contrast_doubts(manifest([2.1, 0.9, 0.9]))
    assert doubts[0].startswith("albedo: declared linear, but looks encoded")
    assert doubts[1:] == ["", ""]


def test_samples_of_another_declaration_are_judged_separately() -> None:
    both = pd.concat([manifest([0.9] * MIN_SAMPLES), manifest([0.4] * MIN_SAMPLES, "srgb")])
    doubts = contrast_doubts(both)
    assert doubts[:MIN_SAMPLES] == [""] * MIN_SAMPLES
    assert all(doubts[MIN_SAMPLES:])
