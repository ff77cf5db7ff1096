"""Contrasts: one odd picture is not a wrong declaration, most of them are."""

import numpy as np
import pandas as pd

from albedo_pipeline.preprocessing.contrasts import ENOUGH, contrast_doubts


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


def test_one_dull_picture_among_many_is_no_sign() -> None:
    assert contrast_doubts(manifest([0.3] + [0.9] * ENOUGH)) == [""] * (ENOUGH + 1)


def test_where_most_are_dull_all_are_in_doubt() -> None:
    doubts = contrast_doubts(manifest([np.nan, 0.9] + [0.4] * ENOUGH))
    assert all(doubt.startswith("beauty: declared linear, but looks encoded") for doubt in doubts)


def test_few_say_nothing() -> None:
    assert contrast_doubts(manifest([0.4] * (ENOUGH - 1))) == [""] * (ENOUGH - 1)


def test_a_high_contrast_counts_by_itself() -> None:
    doubts = contrast_doubts(manifest([2.1, 0.9, 0.9]))
    assert doubts[0].startswith("albedo: declared linear, but looks encoded")
    assert doubts[1:] == ["", ""]


def test_samples_of_another_declaration_are_judged_apart() -> None:
    both = pd.concat([manifest([0.9] * ENOUGH), manifest([0.4] * ENOUGH, "srgb")])
    doubts = contrast_doubts(both)
    assert doubts[:ENOUGH] == [""] * ENOUGH
    assert all(doubts[ENOUGH:])
