"""The report in a real browser."""

from pathlib import Path

import pytest
from browser import CHROMIUM, visit

from albedo_pipeline.reporting.html import write_html

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture
def url(make, tmp_path: Path) -> str:
    page = tmp_path / "report.html"
    page.write_text(write_html(**make(12)), encoding="utf-8")
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
