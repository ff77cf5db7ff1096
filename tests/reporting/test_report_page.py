"""The report in a real browser."""

from pathlib import Path

import pytest

from albedo_pipeline.preprocessing.audit import summary_of
from albedo_pipeline.reporting.report import report_page
from tests.support.browser import CHROMIUM, visit

HOSTILE = "<img src=x onerror=window.hit=1>"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def url(make, tmp_path_factory: pytest.TempPathFactory) -> str:
    inputs = make(12)
    inputs["audit"]["beauty_clipped_share"] = 0.5
    inputs["audit_summary"] = summary_of(inputs["audit"])
    page = tmp_path_factory.mktemp("page") / "report.html"
    page.write_text(report_page(**inputs), encoding="utf-8")
    return page.as_uri()


@pytest.mark.parametrize("width", [1280, 400])
def test_it_opens_without_a_request_or_a_complaint(url: str, width: int) -> None:
    with visit(url, width) as seen:
        assert seen.outside() == []
        assert seen.complaints == []
        assert seen.page.locator("table.scores").first.is_visible()
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(overflow) <= 0
        broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
        assert seen.page.evaluate(broken) == 0


def test_the_slider_wipes_from_beauty_to_prediction(url: str) -> None:
    with visit(url) as seen:
        slider = seen.page.locator("input[type=range]").first
        slider.scroll_into_view_if_needed()
        before = slider.screenshot()
        pictures = seen.page.locator("figure, .card").filter(has=slider).first
        first = pictures.screenshot()
        slider.focus()
        for _ in range(30):
            seen.page.keyboard.press("ArrowRight")
        assert slider.screenshot() != before
        assert pictures.screenshot() != first


def test_names_from_data_are_text_and_never_markup(make, page_of, tmp_path: Path) -> None:
    inputs = make(8)
    audit = inputs["audit"]
    audit.loc[:3, "sample_id"] = audit.loc[:3, "duplicate_of"] = HOSTILE
    audit.loc[:3, ["near_duplicate_of", "colour_suspicion", "beauty_type"]] = HOSTILE
    inputs["audit_summary"] = {
        "splits": {HOSTILE: {"samples": 1, "groups": 1}},
        "ranges": {HOSTILE: {"min": 0}},
        "flags": {HOSTILE: 2},
    }
    inputs["quarantine"][:] = HOSTILE
    page = tmp_path / "hostile.html"
    page.write_text(page_of(inputs), encoding="utf-8")
    with visit(page.as_uri()) as seen:
        assert seen.complaints == []
        assert seen.page.locator("#data").text_content().count(HOSTILE) > 20
        assert seen.page.evaluate("document.querySelectorAll('img[onerror]').length") == 0
        assert seen.page.evaluate("window.hit") is None


@pytest.mark.parametrize(("width", "plot"), [(1280, "wide"), (400, "narrow")])
def test_the_findings_and_the_plots_fit_the_screen(url: str, width: int, plot: str) -> None:
    with visit(url, width) as seen:
        row = seen.page.locator(".findings tbody tr").first
        assert "Clipped beauty" in row.text_content()
        picture = seen.page.locator("#data img.figure").bounding_box()
        assert picture["x"] + picture["width"] <= width
        assert (picture["height"] > picture["width"]) == (plot == "narrow")
