"""The gallery as one figure."""

from pathlib import Path

from albedo_pipeline.reporting.plots.gallery import gallery_figure
from tests.support.report_variants import SHAPES, with_shapes


def test_pictures_of_several_shapes_are_drawn(report_inputs, tmp_path: Path) -> None:
    inputs = with_shapes(report_inputs(12, gallery=6), tmp_path)
    names = ("per_sample", "predictions", "pairs", "manifest")
    figure = gallery_figure(*(inputs[name] for name in names), "test")
    figure.draw_without_rendering()
    shapes = {axes.images[0].get_array().shape[:2] for axes in figure.axes}
    assert shapes == set(SHAPES)
