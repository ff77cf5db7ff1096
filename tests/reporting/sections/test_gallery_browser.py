"""The gallery in Chromium: filter and order, hostile names on a phone, no scripts."""

import re
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.reporting.sections.ranking import ranked_samples
from tests.support.browser import CHROMIUM, visit
from tests.support.report_variants import with_ensemble

HOSTILE = "\"'><img src=x onerror=window.hit=1>"
LONG_HOSTILE = "</script><img src=x onerror=window.hit=1>'\"&" + 60 * "x"
IDS = [*(f"view_{n:03d}" for n in range(16)), HOSTILE, "plain", "Other", "more"]


def badges(page) -> list[str]:
    return page.locator(".card .rank.tag").all_text_contents()


pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def hostile_page(report_inputs, render_report) -> str:
    """A page on which every name is hostile, and half of the samples are one light set."""
    made = report_inputs([f"{number}{LONG_HOSTILE}" for number in range(12)])
    table = made["per_sample"].assign(group=LONG_HOSTILE)
    in_set = table["sample_id"].isin(list(dict.fromkeys(table["sample_id"]))[:3])
    table["set"] = np.where(in_set, table["sample_id"].iloc[0], "")
    table["constancy"] = np.where(in_set, 0.03, np.nan)
    return render_report(made | {"per_sample": table})


@pytest.mark.slow
def test_filter_and_order_by_clicks(report_inputs, render_report, tmp_path: Path) -> None:
    made = report_inputs(IDS, gallery=10)
    light_set = ["view_000", "view_002", "view_004", HOSTILE]
    inputs = with_ensemble(made, tmp_path / "ensemble", light_set)
    file = tmp_path / "report.html"
    file.write_text(render_report(inputs), encoding="utf-8")
    scores = ranked_samples(inputs["per_sample"], "test").set_index("sample_id")
    with visit(file.as_uri()) as seen:
        tools = seen.page.locator("#gallery .tools")
        search, lights = tools.locator("[type=search]"), tools.locator("[type=checkbox]")
        metric, direction = tools.locator("select"), tools.locator("button")

        def shown() -> list[str]:
            names = seen.page.locator(".card:visible img.beauty").all()
            return [name.get_attribute("alt").removeprefix("Beauty of ") for name in names]

        assert shown() == scores.index.tolist()
        assert tools.locator("output").text_content() == "10 of 10 shown"

        assert badges(seen.page) == ["best PSNR", "median PSNR", "worst PSNR"]
        metric.select_option(label="SSIM")
        by_ssim = scores.sort_values(["ssim", "sample_id"], ascending=[False, True]).index
        ranks = {name: place for place, name in enumerate(by_ssim, 1)}
        texts = seen.page.locator(".card .rank").all_text_contents()
        words = {1: "best SSIM", 6: "median SSIM", 10: "worst SSIM"}
        expected = [words.get(ranks[name], f"{ranks[name]} of 10") for name in shown()]
        assert texts == expected
        assert shown() == scores.sort_values("ssim", ascending=False).index.tolist()
        assert "best first" in direction.text_content()
        direction.click()
        assert shown() == scores.sort_values("ssim").index.tolist()
        assert "worst first" in direction.text_content()

        metric.select_option(label="AURC")  # lower is better; one card has none
        values = [scores["aurc"][name] for name in shown()]
        assert values[:-1] == sorted(values[:-1], reverse=True)
        assert np.isnan(values[-1])
        direction.click()
        values = [scores["aurc"][name] for name in shown()]
        assert values[:-1] == sorted(values[:-1])
        assert np.isnan(values[-1])

        metric.select_option(label="name")
        assert [name for name in shown() if name in IDS[:16]] == IDS[:16:2]
        ascending = shown()
        assert "A to Z" in direction.text_content()
        direction.click()
        assert shown() == ascending[::-1]
        assert "Z to A" in direction.text_content()

        lights.check()
        assert len(shown()) == 4
        assert tools.locator("output").text_content() == "4 of 10 shown"
        lights.uncheck()
        search.type("VIEW_00")
        assert sorted(shown()) == [name for name in IDS[::2] if name.startswith("view_00")]
        search.fill("oTHer")
        assert shown() == ["Other"]
        search.fill("no such sample")
        assert shown() == []
        seen.page.get_by_text("No sample matches the filter.").wait_for()
        seen.page.get_by_text("Show all samples").click()
        assert len(shown()) == 10
        assert not seen.page.get_by_text("No sample matches the filter.").is_visible()
        search.fill(HOSTILE)
        assert shown() == [HOSTILE]
        assert seen.complaints == []
        assert seen.page.evaluate("window.hit") is None


def test_hostile_names_can_be_filtered_and_sorted_and_fit_a_phone(
    hostile_page: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(hostile_page, encoding="utf-8")
    with visit(file.as_uri(), width=390) as seen:
        tools = seen.page.locator("#gallery .tools")
        seen.page.locator("#gallery .more button").click()
        cards = seen.page.locator(".card:visible")
        total = cards.count()
        tools.locator("[type=search]").fill(LONG_HOSTILE)
        assert cards.count() == total
        tools.locator("select").select_option(label="name")
        names = [text.split("<")[0].split()[-1] for text in cards.locator("h3").all_text_contents()]
        numbers = [int(re.search(r"\d+$", name)[0]) for name in names]
        assert numbers == sorted(numbers)
        tools.locator("[type=checkbox]").check()
        assert tools.locator("output").text_content() == f"{cards.count()} of {total} shown"
        assert 0 < cards.count() < total
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(overflow) <= 0
        assert seen.complaints == []
        assert seen.page.evaluate("document.querySelectorAll('[onerror]').length") == 0
        assert seen.page.evaluate("window.hit") is None


def test_without_scripts_the_cards_are_visible_and_the_controls_hidden(
    hostile_page: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    page = hostile_page.replace("script-src 'unsafe-inline'", "script-src 'none'")
    file.write_text(page, encoding="utf-8")
    with visit(file.as_uri()) as seen:
        total = page.count('<article class="card"')
        assert seen.page.locator(".card:visible").count() == total > 0
        controls = seen.page.locator("#gallery :is(input, select, button, output):visible")
        assert controls.count() == 0
