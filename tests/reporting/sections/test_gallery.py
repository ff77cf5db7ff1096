"""The gallery of the page: cards, sort values, uncertainty maps and image shapes."""

import base64
import html
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.colormap import ERROR_LIMIT, coloured
from albedo_pipeline.reporting.sections.ranking import evenly_spaced_ranks, ranked_samples
from tests.support.report_variants import SHAPES, with_ensemble, with_shapes


@pytest.fixture(scope="module")
def inputs(report_inputs, tmp_path_factory: pytest.TempPathFactory) -> dict:
    made = report_inputs(20, gallery=10)
    folder = tmp_path_factory.mktemp("ensemble")
    return with_ensemble(made, folder, ["view_000", "view_002", "view_004"])


@pytest.fixture(scope="module")
def page(inputs, render_report) -> str:
    return render_report(inputs)


def cards_of(page: str) -> list[str]:
    return re.findall(r'<article class="card".*?</article>', page, re.DOTALL)


def sort_values_of(card: str) -> list[float | None]:
    return json.loads(re.search(r"data-keys='([^']*)'", card)[1])


def gallery_of(page: str) -> str:
    return re.search(r'<section id="gallery">.*?</section>', page, re.DOTALL)[0]


def png_size(data: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(data))).size


def test_every_card_has_its_uncertainty_on_the_scale_of_the_error(inputs, page: str) -> None:
    names = inputs["predictions"].scalars["sample_id"].to_pylist()
    for card in cards_of(page):
        name = html.unescape(re.search(r'Beauty of (.*?)">', card)[1])
        value = names.index(name) * 655 / 65535
        assert f"uncertainty, mean {value:.3f}" in card
        png = re.search(r'src="data:image/png;base64,([^"]+)" alt="Uncertainty', card)[1]
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
        assert picture[16, 16].tolist() == coloured(np.array([value / ERROR_LIMIT]))[0].tolist()


def test_without_an_ensemble_the_gallery_has_no_uncertainty(report_inputs, render_report) -> None:
    page = render_report(report_inputs(8))
    assert len(cards_of(page)) == 4
    assert "ncertainty" not in page.split('id="gallery"')[1]
    assert 'id="constancy"' not in page


def test_without_scripts_all_cards_are_visible_and_the_tools_hidden(page: str) -> None:
    assert len(cards_of(page)) == 10
    assert not any(re.match(r"<article[^>]* hidden", card) for card in cards_of(page))
    assert re.search(r'<div class="tools"[^>]* hidden>', page)


def test_a_single_card_has_no_tools(report_inputs, render_report) -> None:
    assert 'class="tools"' not in render_report(report_inputs(2))


def test_best_median_and_worst_are_always_shown(report_inputs, render_report) -> None:
    inputs = report_inputs(gallery=3)
    gallery = gallery_of(render_report(inputs))
    order = ranked_samples(inputs["per_sample"], "test")["sample_id"].tolist()
    for sample_id in (order[0], order[len(order) // 2], order[-1]):
        assert sample_id in gallery


def test_a_scored_sample_without_a_prediction_is_an_error(report_inputs, render_report) -> None:
    inputs = report_inputs()
    inputs["per_sample"] = inputs["per_sample"].replace({"sample_id": {"view_000": "gone"}})
    with pytest.raises(ProjectError, match="no prediction of sample 'gone'"):
        render_report(inputs)


def test_sort_values_have_every_digit_and_null_for_unknown_ones(inputs, render_report) -> None:
    table = inputs["per_sample"]
    table = table.assign(constancy=table["constancy"].where(table["constancy"].isna(), 1 / 30))
    cards = cards_of(render_report(inputs | {"per_sample": table}))
    rows = ranked_samples(table, "test")
    shown = rows["psnr"].iloc[evenly_spaced_ranks(len(rows), 10)].tolist()
    assert [sort_values_of(card)[0] for card in cards] == shown
    assert {sort_values_of(card)[-2] for card in cards} == {1 / 30, None}


def test_a_card_shows_only_the_metrics_that_it_has(page: str) -> None:
    for card in cards_of(page):
        constancy, aurc = sort_values_of(card)[-2:]
        assert ("<b>Constancy error</b>" in card) == (constancy is not None)
        assert ("under several lights" in card) == (constancy is not None)
        assert ("<b>AURC</b>" in card) == (aurc is not None)


def test_labels_follow_the_protocol_of_marigold(report_inputs, render_report) -> None:
    made = report_inputs(12)
    names = {"psnr": "marigold_psnr", "ssim": "marigold_ssim"}
    table = made["per_sample"].rename(columns=names)
    table = table[["sample_id", "group", "split", "method", *names.values()]]
    scores = {
        method: {names[key]: value for key, value in values.items() if key in names}
        for method, values in made["metrics"]["test"].items()
        if method != "n"
    }
    metrics = made["metrics"] | {"test": {"n": made["metrics"]["test"]["n"]} | scores}
    gallery = gallery_of(render_report(made | {"per_sample": table, "metrics": metrics}))
    assert "by the model’s PSNR (Marigold)." in gallery
    options = re.findall(r"<option[^>]*>([^<]*)</option>", gallery)
    assert options == ["PSNR (Marigold)", "SSIM (Marigold)", "name"]
    assert 'type="checkbox"' not in gallery


def test_every_picture_keeps_its_shape(report_inputs, render_report, tmp_path: Path) -> None:
    page = render_report(with_shapes(report_inputs(12, gallery=6), tmp_path))
    pictures = re.findall(r'class="prediction" src="data:image/png;base64,([^"]+)"', page)
    assert {png_size(data) for data in pictures} == {(width, height) for height, width in SHAPES}
    assert "object-fit: contain" in page
