"""Sentences, numbers, facts and images of the report, from hand-made values."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import EvaluateParams, ReportParams
from albedo_pipeline.reporting.formatting import measured, plain, spaced
from albedo_pipeline.reporting.images import (
    error_picture,
    image_thumbnail,
    png_uri,
    side_within_budget,
)
from albedo_pipeline.reporting.plots.scores import metrics_figure
from albedo_pipeline.reporting.plots.themes import LIGHT
from albedo_pipeline.reporting.plots.training_curves import loss_figure
from albedo_pipeline.reporting.run_info import as_yaml, code_state, resolved_parameters, run_details
from albedo_pipeline.reporting.sections.headline import headline
from albedo_pipeline.reporting.sections.score_table import score_table
from albedo_pipeline.reporting.sections.scores import confidence, main_split


def score(mean: float | None, width: float = 0.5) -> dict:
    value = float("nan") if mean is None else mean
    return {"mean": value, "low": value - width, "high": value + width, "n": 9}


def metrics(model: float | None, baseline: float = 20.0, ceiling: float = 30.0) -> dict:
    return {
        "protocol": {"name": "p"},
        "test": {
            "n": 9,
            "autoencoder_roundtrip": {"psnr": score(ceiling)},
            "beauty_as_albedo": {"psnr": score(baseline)},
            "my_own_method": {"psnr": score(baseline - 5)},
            "model": {"psnr": score(model)},
        },
    }


def test_the_headline_says_whether_the_model_is_better_or_worse() -> None:
    better = headline(metrics(24), "test", 95)
    assert better.startswith(
        "On 9 test samples the model reaches PSNR 24.00 dB (95 % interval 23.50 to 24.50): "
        "4.00 dB better than the best baseline, “Beauty as albedo” (20.00 dB, 19.50 to 20.50)"
    )
    assert "6.00 dB worse than the autoencoder’s ceiling" in better
    assert "overlap" not in better
    assert "2.00 dB worse than the best baseline" in headline(metrics(18), "test", 95)
    same = headline(metrics(20), "test", 95)
    assert "the same as the best baseline" in same
    assert "though the two intervals overlap" in same


def test_the_headline_names_a_metric_by_which_the_model_is_worse() -> None:
    scores = metrics(24)
    scores["test"]["model"]["ssim"] = score(0.4, 0.01)
    scores["test"]["beauty_as_albedo"]["ssim"] = score(0.8, 0.01)
    assert "By SSIM (0.400) it is 0.400 worse than the best baseline" in headline(
        scores, "test", 95
    )


def test_the_headline_of_a_model_without_a_score() -> None:
    assert headline(metrics(None), "test", 95).endswith("there is nothing to compare.")


def test_the_table_puts_the_ceiling_last_and_never_in_bold() -> None:
    table = score_table(metrics(18), "test")
    assert [row.kind for row in table.rows] == ["model", "baseline", "baseline", "ceiling"]
    assert [row.cells[0].best for row in table.rows] == [False, True, False, False]
    assert table.rows[2].method.name == "my_own_method"
    assert table.columns == [("PSNR", "dB", "↑ higher is better")]


def test_a_metric_of_unknown_direction_has_no_best_method() -> None:
    table = score_table({"test": {"model": {"strange": score(1)}}}, "test")
    assert table.columns == [("strange", "", "")]
    assert not table.rows[0].cells[0].best


def test_metrics_without_a_split_are_an_error() -> None:
    with pytest.raises(ProjectError, match=r"evaluate\.splits"):
        main_split({"protocol": {}})
    assert main_split({"protocol": {}, "validation": {"n": 1}}) == "validation"


def test_confidence_comes_from_the_settings_else_it_is_95() -> None:
    settings = resolved_parameters({"evaluate": EvaluateParams(bootstrap={"confidence": 0.9})})
    assert confidence({"protocol": {}}, settings) == pytest.approx(90)
    assert confidence({}, {}) == 95


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (np.nan, "–"), (np.inf, "∞"), (21.456, "21.46")]
)
def test_missing_and_infinite_numbers_have_a_symbol(value: float | None, text: str) -> None:
    assert measured("psnr", value) == text


def test_names_and_containers_are_shown_as_words() -> None:
    assert spaced("validation_beauty_psnr") == "validation beauty PSNR"
    assert plain({"a_b": [1, 2.5], "c": True}) == "a b: 1, 2.5, c: yes"


def test_parameters_are_shown_with_their_defaults() -> None:
    shown = resolved_parameters(
        {"report": {"gallery": 3}, "ingest": {"wrong": 1}, "mine": {"a": (1, 2)}}
    )
    assert shown["report"] == ReportParams(gallery=3).model_dump()
    assert shown["ingest"] == {"wrong": 1}
    assert "title: Albedo estimator" in as_yaml(shown)


def test_parameters_read_in_another_order_are_shown_the_same() -> None:
    one = {"train": {"seed": 1}, "mine": {"b": 1, "a": 2}}
    other = dict(reversed(one.items()))
    assert as_yaml(resolved_parameters(other)) == as_yaml(resolved_parameters(one))
    assert list(resolved_parameters(one)["mine"]) == ["b", "a"]


def test_facts_hold_date_code_and_packages_but_no_path(tmp_path: Path) -> None:
    facts = dict(
        run_details({"train": {"seed": 7}}, tmp_path, datetime(2031, 2, 3, 4, 5, tzinfo=UTC))
    )
    assert facts["Date"] == "2031-02-03 04:05 UTC"
    assert facts["train: seed"] == "7"
    assert "torch" in facts["Packages"]
    assert str(tmp_path) not in " ".join(facts.values())
    assert code_state(tmp_path).startswith("commit unknown")


def test_stored_pixels_are_rounded_to_8_bits() -> None:
    stored = np.array([0, 128, 129, 257, 65535, 65406], np.uint16).reshape(1, 1, 6)
    picture = image_thumbnail(np.broadcast_to(stored.transpose(0, 2, 1), (3, 6, 6)), 6)
    assert picture[:, 0, 0].tolist() == [0, 0, 1, 1, 255, 254]


def test_invalid_pixels_are_grey_in_the_error_picture() -> None:
    picture = error_picture(np.ones((4, 4)), np.eye(4, dtype=bool))
    grey = (picture == picture[..., :1]).all(axis=-1)
    assert (grey == ~np.eye(4, dtype=bool)).all()


@pytest.mark.parametrize(("side", "pictures"), [(768, 48), (64, 800), (2048, 4)])
def test_images_of_noise_stay_within_the_budget(side: int, pictures: int) -> None:
    shown = side_within_budget(side, pictures, 1_000_000)
    noise = np.random.default_rng(0).integers(0, 256, (shown, shown, 3), dtype=np.uint8)
    assert pictures * len(png_uri(noise)) <= 1_000_000


def texts(figure) -> str:
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_a_plot_says_which_curve_is_missing() -> None:
    empty = texts(loss_figure(pd.DataFrame({"step": [], "loss": []}), LIGHT))
    assert "holds no loss" in empty
    assert "holds no learning rate" in empty
    assert "holds no loss" in texts(loss_figure(pd.DataFrame({"step": [1], "loss": [np.nan]})))
    assert "no value" in texts(metrics_figure(metrics(None), "test"))


def test_samples_without_a_score_are_listed_but_not_shown(make, page_of) -> None:
    inputs = make(8)
    table = inputs["per_sample"]
    table.loc[table["sample_id"] == "view_002", ["psnr", "ssim"]] = np.nan
    inputs["training_log"] = inputs["training_log"].iloc[:0]
    page = page_of(inputs)
    assert "1 more sample could not be scored and so cannot be ranked: view_002" in page
    assert "The training log is empty" in page
    table.loc[:, "psnr"] = np.nan
    assert "No test sample has a PSNR" in page_of(inputs)
