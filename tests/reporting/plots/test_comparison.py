"""Scatter plots of two runs, checked against hand-made values."""

import numpy as np
import pandas as pd

from albedo_pipeline.reporting.plots.comparison import comparison_figure


def test_every_sample_is_a_dot_and_a_light_set_counts_once() -> None:
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
    assert psnr.get_ylabel() == "this run, dB  (above: better)"
    assert constancy.get_ylabel() == "this run, no unit  (below: better)"
    assert constancy.get_title("right") == "n = 1"


def test_a_metric_without_finite_pairs_has_no_panel() -> None:
    samples = pd.DataFrame({"psnr_this": [np.inf], "psnr_other": [1.0]})
    assert not comparison_figure(samples).axes[0].get_visible()
