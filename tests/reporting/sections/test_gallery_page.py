"""The gallery's tools, uncertainty maps and light sets, as text and in a real browser."""

import base64
import html
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from albedo_pipeline.imaging.colormap import coloured
from albedo_pipeline.reporting.images import ERROR_LIMIT
from albedo_pipeline.reporting.sections.light_sets import MAX_LIGHTS, light_sets, picture_count
from albedo_pipeline.reporting.sections.ranking import ranked_samples
from albedo_pipeline.shards.datasets import PredictionShardsDataset
from tests.support.browser import CHROMIUM, visit

HOSTILE = "\"'><img src=x onerror=window.hit=1>"
IDS = [*(f"view_{n:03d}" for n in range(16)), HOSTILE, "plain", "Other", "more"]


def with_ensemble(inputs: dict, folder: Path) -> dict:
    """The inputs with uncertainties in steps of 0.01 by sample, and one light set of four."""
    stored = inputs["predictions"]
    dataset = PredictionShardsDataset(filepath=str(folder))
    dataset.save(
        {name: value for name, value in scalars.items() if name != "digest"}
        | {name: stored.tensor(name, row) for name in stored.tensor_names}
        | {"uncertainty": np.full((1, 32, 32), row * 655, np.uint16)}
        for row, scalars in enumerate(stored.scalars.to_pylist())
    )
    table = inputs["per_sample"].copy()
    names = list(dict.fromkeys(table["sample_id"]))
    lights = table["sample_id"].isin([*names[:3], HOSTILE])
    table["set"] = np.where(lights, names[0], "")
    table["constancy"] = np.where(lights, 0.025, np.nan)
    unknown = (table["sample_id"] == names[5]) | (table["method"] != "model")
    place = table["sample_id"].map({name: number for number, name in enumerate(names)})
    table["aurc"] = (0.1 + place % 7 / 100).mask(unknown)
    return inputs | {"predictions": dataset.load(), "per_sample": table}


@pytest.fixture(scope="module")
def inputs(make, tmp_path_factory: pytest.TempPathFactory) -> dict:
    return with_ensemble(make(IDS, gallery=10), tmp_path_factory.mktemp("ensemble"))


@pytest.fixture(scope="module")
def page(inputs, page_of) -> str:
    return page_of(inputs)


def cards_of(page: str) -> list[str]:
    return re.findall(r'<article class="card".*?</article>', page, re.DOTALL)


def test_every_card_has_its_uncertainty_on_the_scale_of_the_error(inputs, page: str) -> None:
    names = inputs["predictions"].scalars["sample_id"].to_pylist()
    for card in cards_of(page):
        name = html.unescape(re.search(r'Beauty of (.*?)">', card)[1])
        value = names.index(name) * 655 / 65535
        assert f"uncertainty, mean {value:.3f}" in card
        png = re.search(r'src="data:image/png;base64,([^"]+)" alt="Uncertainty', card)[1]
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
        assert picture[16, 16].tolist() == coloured(np.array([value / ERROR_LIMIT]))[0].tolist()


def test_without_an_ensemble_there_is_none(make, page_of) -> None:
    page = page_of(make(8))
    assert len(cards_of(page)) == 4
    assert "ncertainty" not in page.split('id="gallery"')[1]
    assert 'id="constancy"' not in page


def test_without_scripts_all_cards_are_seen_and_no_tool(page: str) -> None:
    assert len(cards_of(page)) == 10
    assert not any(re.match(r"<article[^>]* hidden", card) for card in cards_of(page))
    assert re.search(r'<div class="tools"[^>]* hidden>', page)


def test_a_single_card_needs_no_tools(make, page_of) -> None:
    assert 'class="tools"' not in page_of(make(2))


def test_the_strip_shows_the_set_with_its_truth(inputs, page: str) -> None:
    strip = re.search(r'<section id="constancy">.*?</section>', page, re.DOTALL)[0]
    assert strip.count("Predicted albedo of") == 4
    assert strip.count("True albedo") == 1
    assert "constancy error 0.025, 4 lights" in strip
    assert html.escape(HOSTILE, quote=False).replace('"', "&#34;").replace("'", "&#39;") in strip
    assert "<img src=x" not in page


def test_the_measure_of_another_protocol_ranks_as_well(inputs) -> None:
    renamed = inputs["per_sample"].rename(columns={"psnr": "marigold_psnr"}).drop(columns="ssim")
    expected = ranked_samples(inputs["per_sample"], "test")["sample_id"].tolist()
    assert ranked_samples(renamed, "test")["sample_id"].tolist() == expected


def sets_of(errors: list[float], lights: int = 2) -> pd.DataFrame:
    rows = [
        {"sample_id": f"s{place}-{light:02d}", "set": f"s{place}-00", "constancy": error}
        for place, error in enumerate(errors)
        for light in range(lights)
    ]
    return pd.DataFrame(rows).assign(split="test", method="model")


def test_the_best_the_median_and_the_worst_set_are_chosen() -> None:
    found = light_sets(sets_of([0.3, 0.1, 0.5, 0.2, 0.4]), "test")
    assert [(item.rank, item.error) for item in found] == [
        ("best", "0.100"),
        ("median", "0.300"),
        ("worst", "0.500"),
    ]
    assert found[0].samples == ["s1-00", "s1-01"]
    assert picture_count(found) == 15
    assert light_sets(sets_of([0.3]), "test")[0].rank == "the only set"
    assert light_sets(sets_of([np.nan]), "test") == []
    assert light_sets(sets_of([0.3]), "validation") == []


def test_of_many_lights_some_are_shown_and_all_counted() -> None:
    (found,) = light_sets(sets_of([0.3], lights=25), "test")
    assert found.lights == 25
    assert len(found.samples) == MAX_LIGHTS
    assert found.samples[0] == "s0-00"
    assert found.samples[-1] == "s0-24"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_filter_and_order_by_real_clicks(inputs, page: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    model = ranked_samples(inputs["per_sample"], "test").set_index("sample_id")
    with visit(file.as_uri()) as seen:
        tools = seen.page.locator("#gallery .tools")
        words, lights = tools.locator("[type=search]"), tools.locator("[type=checkbox]")
        measure, turn = tools.locator("select"), tools.locator("button")

        def shown() -> list[str]:
            names = seen.page.locator(".card:visible img.beauty").all()
            return [name.get_attribute("alt").removeprefix("Beauty of ") for name in names]

        assert shown() == model.index.tolist()
        assert tools.locator("output").text_content() == "10 of 10 shown"

        measure.select_option(label="SSIM")
        assert shown() == model.sort_values("ssim", ascending=False).index.tolist()
        assert "best first" in turn.text_content()
        turn.click()
        assert shown() == model.sort_values("ssim").index.tolist()
        assert "worst first" in turn.text_content()

        measure.select_option(label="AURC")  # lower is better; one card has none
        values = [model["aurc"][name] for name in shown()]
        assert values[:-1] == sorted(values[:-1], reverse=True)
        assert np.isnan(values[-1])
        turn.click()
        values = [model["aurc"][name] for name in shown()]
        assert values[:-1] == sorted(values[:-1])
        assert np.isnan(values[-1])

        measure.select_option(label="name")
        assert [name for name in shown() if name in IDS[:16]] == IDS[:16:2]
        forth = shown()
        assert "A to Z" in turn.text_content()
        turn.click()
        assert shown() == forth[::-1]
        assert "Z to A" in turn.text_content()

        lights.check()
        assert len(shown()) == 4
        assert tools.locator("output").text_content() == "4 of 10 shown"
        lights.uncheck()
        words.type("VIEW_00")
        assert sorted(shown()) == [name for name in IDS[::2] if name.startswith("view_00")]
        words.fill("oTHer")
        assert shown() == ["Other"]
        words.fill("no such sample")
        assert shown() == []
        words.fill(HOSTILE)
        assert shown() == [HOSTILE]
        assert seen.complaints == []
        assert seen.page.evaluate("window.hit") is None
