"""The plots of scores and of two runs: what is drawn, by hand-made values."""

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.reporting.plots.comparison import comparison_figure
from albedo_pipeline.reporting.plots.scores import NARROW, WIDE, distributions_figure, risk_figure
from albedo_pipeline.reporting.plots.themes import DARK, LIGHT, svg_uri


@pytest.fixture
def per_sample() -> pd.DataFrame:
    """Two methods on nine samples, three of them one light set; a sample without SSIM."""
    rows = pd.DataFrame({"sample_id": [f"s{n}" for n in range(9)], "group": "g", "split": "test"})
    rows["set"] = ["s0"] * 3 + [""] * 6
    rows["psnr"] = np.arange(9.0) + 20
    rows["ssim"] = [np.nan, *np.linspace(0.1, 0.8, 8)]
    rows["constancy"] = [0.2] * 3 + [np.nan] * 6
    return pd.concat([rows.assign(method=name) for name in ("my_own", "model")])


def texts(figure) -> str:
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_every_panel_tells_of_how_many_and_a_set_counts_once(per_sample) -> None:
    figure = distributions_figure(per_sample, "test")
    titles = [axes.get_title("right") for axes in figure.axes if axes.get_visible()]
    assert titles == ["n = 9", "n = 8", "n = 1"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["Model", "my_own"]


def test_dots_and_quartiles_are_those_of_the_samples(per_sample) -> None:
    dots, whiskers, box, middle = distributions_figure(per_sample, "test").axes[0].lines[:4]
    assert dots.get_xdata().tolist() == list(range(20, 29))
    assert whiskers.get_xdata().tolist() == pytest.approx([20.4, 27.6])
    assert box.get_xdata().tolist() == [22, 26]
    assert middle.get_xdata().tolist() == [24]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_what_is_missing_is_told_in_words(per_sample, theme) -> None:
    assert "No sample" in texts(distributions_figure(per_sample.iloc[:0], "test", theme))
    curves = pd.DataFrame(columns=["split", "coverage", "risk", "oracle", "random", "n"])
    assert "No ensemble" in texts(risk_figure(curves, "test", theme))
    samples = pd.DataFrame({"psnr_this": [np.inf], "psnr_other": [1.0]})
    assert not comparison_figure(samples, theme).axes[0].get_visible()


def test_infinite_scores_do_not_spoil_the_plot(per_sample) -> None:
    per_sample.loc[per_sample["sample_id"] == "s8", "psnr"] = np.inf
    axes = distributions_figure(per_sample, "test").axes[0]
    assert axes.get_title("right") == "n = 8"
    assert np.isfinite(axes.get_xlim()).all()


def test_the_curves_are_those_of_the_table() -> None:
    curves = pd.DataFrame({"split": ["test", "test", "train"], "coverage": [0.5, 1, 1]})
    curves = curves.assign(risk=[0.1, 0.2, 9], oracle=[0.05, 0.2, 9], random=[0.2, 0.2, 9], n=3)
    lines = {line.get_label(): line for line in risk_figure(curves, "test").axes[0].lines}
    assert lines["by the model’s uncertainty"].get_xydata().tolist() == [[50, 0.1], [100, 0.2]]
    assert lines["oracle: by the error itself"].get_ydata().tolist() == [0.05, 0.2]
    assert lines["no order: the mean error"].get_ydata().tolist() == [0.2, 0.2]


def test_two_runs_are_drawn_sample_by_sample() -> None:
    samples = pd.DataFrame(
        {
            "set_this": ["a", "a", ""],
            "psnr_this": [21.0, 22, np.nan],
            "psnr_other": [20.0, 23, 4],
            "constancy_this": [0.1, 0.1, np.nan],
            "constancy_other": [0.2, 0.2, np.nan],
        }
    )
    psnr, constancy = (axes for axes in comparison_figure(samples).axes if axes.get_visible())
    assert psnr.lines[1].get_xydata().tolist() == [[20, 21], [23, 22]]
    assert psnr.get_xlim() == psnr.get_ylim()
    assert psnr.get_ylabel() == "this run  (above: better)"
    assert constancy.get_ylabel() == "this run  (below: better)"
    assert constancy.get_title("right") == "n = 1"


def test_on_a_phone_the_panels_stand_below_each_other(per_sample) -> None:
    for across, columns in ((WIDE, 3), (NARROW, 1)):
        figure = distributions_figure(per_sample, "test", LIGHT, across)
        assert figure.axes[0].get_gridspec().ncols == columns
        assert (figure.get_figwidth() > figure.get_figheight()) == (across == WIDE)


def test_thousands_of_samples_make_no_heavy_picture(per_sample) -> None:
    many = pd.concat([per_sample.assign(psnr=per_sample["psnr"] + n / 100) for n in range(300)])
    assert len(svg_uri(distributions_figure(many, "test"))) < 300_000
