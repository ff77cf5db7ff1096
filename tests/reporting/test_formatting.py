"""How names and numbers are written."""

import numpy as np
import pytest

from albedo_pipeline.reporting.formatting import (
    higher_is_better,
    label,
    measured,
    percentage,
    plain,
    spaced,
    unit,
)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (np.nan, "–"), (np.inf, "∞"), (21.456, "21.46")]
)
def test_missing_and_infinite_numbers_have_a_symbol(value: float | None, text: str) -> None:
    assert measured("psnr", value) == text


def test_names_and_containers_are_shown_as_words() -> None:
    assert spaced("validation_beauty_psnr") == "validation beauty PSNR"
    assert plain({"a_b": [1, 2.5], "c": True}) == "a b: 1, 2.5, c: yes"


def test_suffixes_are_spelled_out_and_keep_unit_and_direction() -> None:
    assert label("psnr_aligned_unmasked") == "PSNR, aligned, all pixels"
    assert (unit("psnr_unmasked"), higher_is_better("psnr_aligned")) == ("dB", True)
    assert higher_is_better("delta_e_unmasked") is False
    assert higher_is_better("constancy") is False
    assert label("mine_aligned") == "mine_aligned"
    assert higher_is_better("mine") is None


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1e-6, "< 0.01 %"), (0.007, "0.70 %"), (0.5, "50.0 %"), (1, "100 %"), (None, "–")],
)
def test_shares_are_written_as_percentages(share: float | None, text: str) -> None:
    assert percentage(share) == text
