"""Training curves: which panels a log has, and what they show."""

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.reporting.plots.themes import DARK, LIGHT, Theme
from albedo_pipeline.reporting.plots.training_curves import autoencoder_figure, loss_figure

QUARTERS = [f"loss_t{n}of4" for n in (1, 2, 3, 4)]
VALIDATION = {"validation_psnr": [20.0, 23.5], "validation_psnr_raw": [21.0, np.nan]}


def log_points() -> pd.DataFrame:
    step = 10 * np.arange(1, 51)
    return pd.DataFrame({"step": step, "loss": 1 / step, "learning_rate": 1e-3 - 1e-6 * step})


def validated(log: pd.DataFrame) -> pd.DataFrame:
    """The log with two more rows, which have only validation scores."""
    return pd.concat([log, pd.DataFrame({"step": [5, 25], **VALIDATION})]).sort_values("step")


def y_labels(log: pd.DataFrame, theme: Theme = LIGHT) -> list[str]:
    return [axes.get_ylabel().split()[0] for axes in loss_figure(log, theme).axes]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_panels_follow_the_columns_of_the_log(theme: Theme) -> None:
    log = log_points()
    quarters = log.assign(**dict.fromkeys(QUARTERS, log["loss"]))
    assert y_labels(log, theme) == ["loss,", "learning"]
    assert y_labels(validated(log), theme) == ["loss,", "validation", "learning"]
    assert y_labels(quarters, theme) == ["loss,", "loss", "learning"]
    assert y_labels(validated(quarters), theme) == ["loss,", "loss", "validation", "learning"]


def test_columns_of_nan_give_no_panel() -> None:
    nothing = dict.fromkeys([*QUARTERS, *VALIDATION], np.nan)
    assert y_labels(log_points().assign(**nothing)) == ["loss,", "learning"]


def test_rows_with_only_validation_scores_do_not_change_the_training_curves() -> None:
    log = log_points()
    log[QUARTERS[0]] = log["loss"].where(log["step"] != 100)
    without, with_scores = loss_figure(log), loss_figure(validated(log))
    panels = [*with_scores.axes[:2], with_scores.axes[3]]
    for before, after in zip(without.axes, panels, strict=True):
        for old, new in zip(before.lines, after.lines, strict=True):
            np.testing.assert_array_equal(old.get_xydata(), new.get_xydata())


def test_the_lines_of_the_validation_and_their_legend() -> None:
    panel = loss_figure(validated(log_points())).axes[1]
    ema, raw = panel.lines
    assert (ema.get_linestyle(), raw.get_linestyle()) == ("-", "--")
    assert ema.get_xydata().tolist() == [[5, 20], [25, 23.5]]
    assert raw.get_xydata().tolist() == [[5, 21]]
    assert raw.get_marker() == "o"  # a line of one point would not be seen
    names = [text.get_text() for text in panel.get_legend().get_texts()]
    assert names[0] == "EMA weights (best 23.50 dB, step 25)"


def test_the_autoencoders_panels_and_the_best_of_each_score() -> None:
    log = pd.DataFrame(
        {
            "step": [10, 20, 30],
            "loss": [0.5, 0.1, -0.2],
            "loss_mse": [0.5, 0.2, 0.1],
            "loss_adversarial": [np.nan, -0.5, -1.0],
            "loss_discriminator": [np.nan, 2.0, 1.5],
            "learning_rate": [1e-3] * 3,
            "validation_albedo_psnr": [20.0, 25.0, 24.0],
            "validation_beauty_psnr_raw": [18.0, 19.0, np.nan],
            "validation_albedo_lpips": [0.3, 0.1, 0.2],
        }
    )
    loss, terms, sides, psnr, lpips, rate = autoencoder_figure(log).axes
    titles = [axes.get_ylabel().split(",")[0] for axes in (loss, terms, sides, psnr, lpips, rate)]
    assert titles == [
        *("loss", "terms", "adversarial losses"),
        *("validation PSNR", "validation LPIPS", "learning rate"),
    ]
    assert loss.get_yscale() == sides.get_yscale() == "linear"  # negative values are shown
    assert loss.lines[0].get_xydata()[-1].tolist() == [30, -0.2]
    assert terms.get_yscale() == "log"
    names = [text.get_text() for axes in (psnr, lpips) for text in axes.get_legend().get_texts()]
    assert names == [
        "albedo, EMA weights (best 25.00 dB, step 20)",
        "beauty, raw weights (best 19.00 dB, step 20)",
        "albedo, EMA weights (best 0.100, step 20)",
    ]


def test_a_message_replaces_a_missing_curve() -> None:
    without_rows = texts(pd.DataFrame({"step": [], "loss": []}))
    assert "has no loss" in without_rows
    assert "has no learning rate" in without_rows
    assert "has no loss" in texts(pd.DataFrame({"step": [1], "loss": [np.nan]}))


def texts(log: pd.DataFrame) -> str:
    return " ".join(text.get_text() for axes in loss_figure(log).axes for text in axes.texts)


def test_further_sets_have_a_curve_each() -> None:
    log = validated(log_points()).assign(**{"validation_interiors/psnr": 15.0})
    legend = loss_figure(log).axes[1].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names[2:] == ["interiors, EMA weights"]
