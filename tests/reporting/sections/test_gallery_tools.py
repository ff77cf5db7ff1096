"""The gallery of odd tables: foreign measures, hostile names, no scripts, a phone."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.reporting.sections.ranking import (
    evenly_spaced_ranks,
    ranked_samples,
    ranking_metric,
)
from tests.support.browser import CHROMIUM, visit

HOSTILE = "</script><img src=x onerror=window.hit=1>'\"&" + 60 * "x"


@pytest.fixture(scope="module")
def inputs(make) -> dict:
    """Every name in it is hostile; half of the samples are of one light set."""
    made = make([f"{number}{HOSTILE}" for number in range(12)])
    table = made["per_sample"].assign(group=HOSTILE)
    lights = table["sample_id"].isin(list(dict.fromkeys(table["sample_id"]))[:3])
    table["set"] = np.where(lights, table["sample_id"].iloc[0], "")
    table["constancy"] = np.where(lights, 0.0312345678901234, np.nan)
    return made | {"per_sample": table}


@pytest.fixture(scope="module")
def page(inputs, page_of) -> str:
    return page_of(inputs)


@pytest.fixture(scope="module")
def url(page: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(page, encoding="utf-8")
    return file.as_uri()


def gallery_of(page: str) -> str:
    return re.search(r'<section id="gallery">.*?</section>', page, re.DOTALL)[0]


def keys_of(page: str) -> list[list[float | None]]:
    return [json.loads(keys) for keys in re.findall(r"data-keys='([^']*)'", page)]


def test_the_keys_have_every_digit_and_null_for_what_is_not_known(inputs, page: str) -> None:
    rows = ranked_samples(inputs["per_sample"], "test")
    shown = rows["psnr"].iloc[evenly_spaced_ranks(len(rows), 5)].tolist()
    assert [keys[0] for keys in keys_of(page)] == shown
    assert {keys[-1] for keys in keys_of(page)} == {0.0312345678901234, None}


def test_a_card_without_a_value_does_not_speak_of_it(page: str) -> None:
    cards = re.findall(r'<article class="card".*?</article>', page, re.DOTALL)
    for card, keys in zip(cards, keys_of(page), strict=True):
        assert ("<b>Constancy error</b>" in card) == (keys[-1] is not None)
        assert ("under several lights" in card) == (keys[-1] is not None)


def test_the_words_follow_the_protocol_of_marigold(make, page_of) -> None:
    made = make(12)
    names = {"psnr": "marigold_psnr", "ssim": "marigold_ssim"}
    table = made["per_sample"].rename(columns=names)
    table = table[["sample_id", "group", "split", "method", *names.values()]]
    scores = {
        method: {names[key]: value for key, value in found.items() if key in names}
        for method, found in made["metrics"]["test"].items()
        if method != "n"
    }
    metrics = made["metrics"] | {"test": {"n": made["metrics"]["test"]["n"]} | scores}
    gallery = gallery_of(page_of(made | {"per_sample": table, "metrics": metrics}))
    assert "by the model’s PSNR (Marigold)." in gallery
    options = re.findall(r"<option[^>]*>([^<]*)</option>", gallery)
    assert options == ["PSNR (Marigold)", "SSIM (Marigold)", "name"]
    assert 'type="checkbox"' not in gallery


def test_a_table_without_main_measures_is_ranked_by_its_first() -> None:
    values = {"of_someone": [1.0, 3.0, np.nan, 2.0], "si_mse": [1.0, 2.0, 3.0, 4.0]}
    table = pd.DataFrame({"sample_id": list("abcd"), **values})
    table = table.assign(split="test", method="model")
    assert ranking_metric(table) == "of_someone"
    assert ranked_samples(table, "test")["sample_id"].tolist() == list("bdac")  # higher is better
    errors = table.drop(columns="of_someone")
    assert ranked_samples(errors, "test")["sample_id"].tolist() == list("abcd")
    with pytest.raises(ProjectError, match="no metric to rank"):
        ranking_metric(errors.drop(columns="si_mse"))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_hostile_names_are_found_sorted_and_fit_a_phone(url: str) -> None:
    with visit(url, width=390) as seen:
        tools = seen.page.locator("#gallery .tools")
        cards = seen.page.locator(".card:visible")
        everything = cards.count()
        tools.locator("[type=search]").fill(HOSTILE)
        assert cards.count() == everything
        tools.locator("select").select_option(label="name")
        names = [text.split("<")[0].split()[-1] for text in cards.locator("h3").all_text_contents()]
        numbers = [int(re.search(r"\d+$", name)[0]) for name in names]
        assert numbers == sorted(numbers)
        tools.locator("[type=checkbox]").check()
        assert tools.locator("output").text_content() == f"{cards.count()} of {everything} shown"
        assert 0 < cards.count() < everything
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(overflow) <= 0
        assert seen.complaints == []
        assert seen.page.evaluate("document.querySelectorAll('[onerror]').length") == 0
        assert seen.page.evaluate("window.hit") is None


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_without_scripts_no_control_is_seen(page: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page.replace("script-src 'unsafe-inline'", "script-src 'none'"))
    with visit(file.as_uri()) as seen:
        assert seen.page.locator(".card:visible").count() == len(keys_of(page))
        controls = seen.page.locator("#gallery :is(input, select, button, output):visible")
        assert controls.count() == 0
