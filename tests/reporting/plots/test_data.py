"""The plots of the data: what is drawn, by hand-made values."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from albedo_pipeline.pipelines.report.nodes import plot_data
from albedo_pipeline.reporting.plots.data import data_figure
from albedo_pipeline.reporting.plots.image_sizes import MAX_DOTS, merge_sizes
from albedo_pipeline.reporting.plots.themes import DARK, LIGHT

TITLES = [
    "Source size",
    "Exposure",
    "Valid pixels",
    "Mean albedo",
    "Implausible albedo",
    "Clipped beauty",
]


@pytest.fixture
def used(audit_rows) -> pd.DataFrame:
    """Eight samples: five to train on, one to validate and two to test with."""
    rows = audit_rows([f"s{n}" for n in range(8)], ["train"] * 5 + ["validation"] + ["test"] * 2)
    rows["exposure"] = [0.25, 0.25, 1, 1, 1, 4, 4, np.nan]
    rows["albedo_implausible_share"] = [0, 0, 0.0005, 0.005, 0.05, 0.10, 0.11, 1]
    rows["albedo_mean"] = [0.1] * 7 + [3.0]
    return rows


def panel(rows: pd.DataFrame, title: str, **settings) -> Axes:
    figure = data_figure(rows, **settings)
    return next(axes for axes in figure.axes if axes.get_title("left") == title)


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def bars(axes: Axes) -> dict[float, int]:
    """Height of the whole stack at each place; only where there is one."""
    stacks = [patch.get_data() for patch in axes.patches if hasattr(patch, "get_data")]
    total = np.max([stack.values for stack in stacks], axis=0)
    return {float(x): int(y) for x, y in zip(stacks[0].edges, total, strict=False) if y}


def test_every_panel_says_what_it_shows_and_of_how_many(used) -> None:
    figure = data_figure(used)
    assert [axes.get_title("left") for axes in figure.axes] == TITLES
    counts = [axes.get_title("right") for axes in figure.axes]
    assert counts == ["n = 8", "n = 7", "n = 8", "n = 8", "n = 8", "n = 8"]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["train (5)", "validation (1)", "test (2)"]


def test_exposure_is_drawn_in_stops_by_split(used) -> None:
    axes = panel(used, "Exposure")
    assert bars(axes) == {-2: 2, 0: 3, 2: 2}
    train, validation, test = (patch.get_data() for patch in axes.patches)
    assert (train.values - train.baseline).sum() == 5
    assert (validation.values - validation.baseline).sum() == 1
    assert (test.values - test.baseline).sum() == 1  # the other has no exposure


def test_what_lies_above_the_range_of_the_albedo_stands_in_the_last_bar(used) -> None:
    assert list(bars(panel(used, "Mean albedo")).values()) == [7, 1]
    assert max(bars(panel(used, "Mean albedo"))) == pytest.approx(0.96)


def test_shares_are_counted_by_powers_of_ten_and_the_flagged_ones_shaded(used) -> None:
    implausible, clipped = (panel(used, name) for name in TITLES[4:])
    assert texts(implausible) == ["2", "1", "1", "2", "2"]
    assert texts(clipped) == ["8", "0", "0", "0", "0"]
    shade = [axes.patches[0].get_x() for axes in (implausible, clipped)]
    assert shade == [3.5, 3.5]  # from the bars above 10 %


def test_few_sizes_are_bars_and_many_are_points(used) -> None:
    axes = panel(used.assign(source_width=[640] * 3 + [1920] * 5), "Source size")
    assert texts(axes) == ["3", "5"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["640 × 1024", "1920 × 1024"]
    many = panel(used.assign(source_width=range(100, 900, 100)), "Source size")
    assert many.collections[0].get_offsets()[:, 0].tolist() == list(range(100, 900, 100))


def test_points_of_many_sizes_are_merged_and_none_is_lost() -> None:
    sizes = np.random.default_rng(0).integers(64, 9000, (20_000, 2))
    kinds, counts = merge_sizes(sizes, MAX_DOTS)
    assert len(kinds) == len(counts) <= MAX_DOTS
    assert counts.sum() == len(sizes)
    few, ones = merge_sizes(sizes[:9], MAX_DOTS)
    assert sorted(few.tolist()) == sorted(sizes[:9].tolist())
    assert ones.tolist() == [1] * 9


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("columns", [1, 3])
def test_columns_without_a_value_are_told_in_words(used, theme, columns: int) -> None:
    lost = ["exposure", "valid_share", "albedo_mean", "beauty_clipped_share"]
    rows = used.assign(**dict.fromkeys(lost, np.nan), source_width=0)
    figure = data_figure(rows, theme, columns)
    silent = [texts(axes) == ["not recorded"] for axes in figure.axes]
    assert silent == [True, True, True, True, False, True]
    assert data_figure(rows.iloc[:0], theme, columns).axes


def test_an_extreme_exposure_does_not_make_a_million_bars(used) -> None:
    axes = panel(used.assign(exposure=[1e-30, 1e30, *[1] * 6]), "Exposure")
    assert len(axes.patches[0].get_data().values) <= 26
    assert sum(bars(axes).values()) == 8


def test_the_node_leaves_the_quarantine_out(used, audit_rows) -> None:
    quarantine = pd.DataFrame({"sample_id": ["bad"], "group": ["bad"], "reason": ["black"]})
    audit = audit_rows(["a", "b"], ["train", "test"], quarantine)
    assert plot_data(audit).axes[0].get_title("right") == "n = 2"
