"""The scores of the page: which measures stand where, in words and numbers."""

import json
import re
from pathlib import Path

import pytest

from albedo_pipeline.reporting.formatting import higher_is_better, label, unit
from albedo_pipeline.reporting.sections.score_table import split_scores
from albedo_pipeline.reporting.sections.uncertainty_summary import uncertainty_sentence

HOSTILE = "<img src=x onerror=alert(1)>"
NAMES = [
    *("psnr", "si_mse", "psnr_aligned"),
    *("psnr_unmasked", "si_mse_unmasked", "psnr_aligned_unmasked"),
]


def score(mean: float, n: int = 9) -> dict:
    return {"mean": mean, "low": mean - 0.5, "high": mean + 0.5, "n": n}


def metrics(names: list[str], **alone: float) -> dict:
    """Every measure of every method another number."""
    methods = ("model", "beauty_as_albedo", "autoencoder_roundtrip")
    scores = {
        method: {name: score(10 * place + row + 0.25) for row, name in enumerate(names)}
        for place, method in enumerate(methods, 1)
    }
    scores["model"] |= {name: score(mean, 4) for name, mean in alone.items()}
    return {"protocol": {"name": "p"}, "lineage": {"pairs": "0"}, "test": {"n": 9} | scores}


def test_suffixes_are_spelled_out_and_keep_unit_and_direction() -> None:
    assert label("psnr_aligned_unmasked") == "PSNR, aligned, all pixels"
    assert (unit("psnr_unmasked"), higher_is_better("psnr_aligned")) == ("dB", True)
    assert higher_is_better("delta_e_unmasked") is False
    assert higher_is_better("constancy") is False
    assert label("mine_aligned") == "mine_aligned"
    assert higher_is_better("mine") is None


def test_all_measures_stand_in_groups_and_the_main_ones_first() -> None:
    table = split_scores(metrics(NAMES, aurc=0.1), "test")
    assert [row.name for row in table.main] == ["psnr"]
    assert {title: [row.name for row in rows] for title, rows in table.groups} == {
        "As predicted, over the valid pixels": ["psnr", "si_mse"],
        "Aligned in scale, over the valid pixels": ["psnr_aligned"],
        "As predicted, over all pixels, masked ones too": ["psnr_unmasked", "si_mse_unmasked"],
        "Aligned in scale, over all pixels, masked ones too": ["psnr_aligned_unmasked"],
    }
    assert [row.name for row in table.model_only] == ["aurc"]


def test_where_the_main_measures_are_all_nothing_is_folded_away() -> None:
    assert split_scores(metrics(["psnr", "ssim"]), "test").groups == []


@pytest.mark.parametrize(
    ("area", "text"),
    [
        (0.06, "its uncertainty gives 80 % (AURC 0.060)."),
        (0.05, "gives 100 %"),
        (0.10, "no better than chance"),
        (0.12, "no better than chance"),
    ],
)
def test_the_uncertainty_s_worth(area: float, text: str) -> None:
    scores = metrics(NAMES, aurc=area, aurc_oracle=0.05, aurc_random=0.10)["test"]
    assert text in uncertainty_sentence(scores)


def test_no_ensemble_no_sentence() -> None:
    assert uncertainty_sentence(metrics(NAMES)["test"]) == ""
    same = metrics(NAMES, aurc=0.1, aurc_oracle=0.1, aurc_random=0.1)["test"]
    assert "equally wrong" in uncertainty_sentence(same)


@pytest.fixture(scope="module")
def inputs(make) -> dict:
    """With every measure, and hostile words in protocol and lineage."""
    made = make(8)
    told = metrics(NAMES, aurc=0.06, aurc_oracle=0.05, aurc_random=0.10)
    told["lineage"] = {"pairs": "26317ca3a7def", HOSTILE: HOSTILE}
    told["protocol"] |= {"name": HOSTILE, "fingerprint": "abc123", "steps": 4}
    return made | {"metrics": told}


@pytest.fixture(scope="module")
def page(inputs, page_of) -> str:
    return page_of(inputs)


def test_the_page_holds_every_number_and_names_the_protocol_by_it(inputs, page: str) -> None:
    section = re.search(r'<section id="scores">.*?</section>', page, re.DOTALL)[0]
    for method in ("model", "beauty_as_albedo", "autoencoder_roundtrip"):
        for name in NAMES:
            mean = inputs["metrics"]["test"][method][name]["mean"]
            assert f"{mean:.4f}" in section or f"{mean:.2f}" in section, (method, name)
    assert section.count("fingerprint <code>abc123</code>") == 2
    assert "AURC of the oracle: 0.050" in section


def test_lineage_is_shown_and_nothing_is_markup(inputs, page: str) -> None:
    run = page.split('<section id="run">')[1]
    assert "26317ca3a7def" in run
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x") >= 4


def test_without_ensemble_and_lineage_their_parts_are_left_out(inputs, page_of) -> None:
    told = metrics(NAMES) | {"lineage": {}}
    page = page_of(inputs | {"metrics": told, "risk_coverage": inputs["risk_coverage"].iloc[:0]})
    assert "AURC" not in page
    assert "Data and weights" not in page


def compared(inputs: dict, page_of, folder: Path, **changes: object) -> str:
    """The section that compares the run with itself, but for some of the protocol."""
    other = inputs["metrics"] | {"protocol": inputs["metrics"]["protocol"] | changes}
    (folder / "metrics.json").write_text(json.dumps(other), encoding="utf-8")
    inputs["per_sample"].to_parquet(folder / "per_sample.parquet")
    params = inputs["params"].model_copy(update={"compare": str(folder)})
    page = page_of(inputs | {"params": params})
    return re.search(r'<section id="comparison">.*?</section>', page, re.DOTALL)[0]


def test_equal_protocols_are_compared_in_one_table(inputs, page_of, tmp_path: Path) -> None:
    section = compared(inputs, page_of, tmp_path)
    assert "same protocol" in section
    assert "undecided" in section
    assert "0.00 … 0.00" in section
    assert section.count("<img") == 1


def test_unlike_protocols_are_not(inputs, page_of, tmp_path: Path) -> None:
    section = compared(inputs, page_of, tmp_path, fingerprint=HOSTILE, steps=HOSTILE)
    assert "different protocols" in section
    assert section.count("<img") == 0
    assert section.count("&lt;img src=x") == 2
    assert "undecided" not in section
    assert "10.25 dB (9.75 … 10.75)" in section
