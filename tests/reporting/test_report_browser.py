"""The report in Chromium: requests, errors, layout and enlarged pictures."""

from pathlib import Path

import pytest

from albedo_pipeline.preprocessing.audit import summary_of
from albedo_pipeline.reporting.report import report_page
from tests.support.browser import CHROMIUM, visit

HOSTILE = "<img src=x onerror=window.hit=1>"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def url(report_inputs, tmp_path_factory: pytest.TempPathFactory) -> str:
    inputs = report_inputs(12)
    inputs["audit"]["beauty_clipped_share"] = 0.5
    inputs["audit_summary"] = summary_of(inputs["audit"])
    page = tmp_path_factory.mktemp("page") / "report.html"
    page.write_text(report_page(**inputs), encoding="utf-8")
    return page.as_uri()


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_opens_without_requests_and_errors(url: str, width: int) -> None:
    with visit(url, width) as seen:
        assert seen.outside() == []
        assert seen.complaints == []
        assert seen.page.locator("table.scores").first.is_visible()
        assert seen.page.evaluate(OVERFLOW) <= 0
        broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
        assert seen.page.evaluate(broken) == 0


OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_the_first_screen_has_the_sentence_pictures_and_the_table(url: str) -> None:
    with visit(url) as seen:
        tops = [
            seen.page.locator(name).first.bounding_box()["y"]
            for name in (".headline", ".strip img", "table.scores")
        ]
        assert tops == sorted(tops)
        assert tops[-1] < 900
        assert seen.page.locator(".headline").text_content().count(". ") == 0


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_pictures_are_whole_multiples_of_their_pixels(url: str, width: int) -> None:
    ratios = """[...document.querySelectorAll(".strip img, .tiles img")]
        .filter((image) => image.offsetWidth)
        .map((image) => image.getBoundingClientRect().width / image.naturalWidth)"""
    with visit(url, width) as seen:
        found = seen.page.evaluate(ratios)
        assert found
        assert all(ratio == int(ratio) for ratio in found)


@pytest.mark.slow
def test_a_click_enlarges_a_picture_and_the_slider_compares_any_two(url: str) -> None:
    with visit(url) as seen:
        viewer = seen.page.locator("#viewer")
        card = seen.page.locator(".card").nth(1)
        card.locator("img.beauty").click()
        left, right = viewer.locator("select.left"), viewer.locator("select.right")
        assert (left.input_value(), right.input_value()) == ("beauty", "prediction")
        sources = {
            name: card.locator(f"img.{name}").get_attribute("src")
            for name in ("beauty", "prediction", "truth")
        }
        for one, other in (("beauty", "prediction"), ("prediction", "truth"), ("truth", "beauty")):
            left.select_option(one)
            right.select_option(other)
            shown = [
                viewer.locator(f"img.{name}").get_attribute("src") for name in ("over", "under")
            ]
            assert shown == [sources[one], sources[other]]
        picture = viewer.locator("img.under")
        ratio = picture.evaluate("i => i.getBoundingClientRect().width / i.naturalWidth")
        assert ratio == int(ratio) > 3
        slider = viewer.locator("input[type=range]")
        slider.focus()
        for _ in range(30):
            seen.page.keyboard.press("ArrowRight")
        covered = "e => e.style.getPropertyValue('--at')"
        assert viewer.locator(".compare").evaluate(covered) == "80%"

        name = viewer.locator("h2").text_content()
        seen.page.keyboard.press("ArrowDown")
        assert viewer.locator("h2").text_content() != name
        seen.page.keyboard.press("Escape")
        assert not viewer.is_visible()
        seen.page.locator(".strip img").first.focus()
        seen.page.keyboard.press("Enter")
        assert viewer.is_visible()
        assert seen.complaints == []


def test_on_a_phone_the_page_is_short_and_nothing_is_cut(url: str) -> None:
    with visit(url, 390) as seen:
        cards = seen.page.locator(".card:visible")
        total = seen.page.locator(".card").count()
        assert (cards.count(), total) == (3, 5)
        assert seen.page.locator("[data-folds][open]").count() == 0
        seen.page.get_by_text("Show all 5 samples").click()
        assert cards.count() == total
        for summary in seen.page.locator("[data-folds] > summary").all():
            summary.click()
        assert seen.page.evaluate(OVERFLOW) <= 0
        cut = """[...document.images].filter((image) =>
            image.getBoundingClientRect().right > 390 && !image.closest(".scroll"))"""
        assert seen.page.evaluate(cut + ".length") == 0
        seen.page.locator("img.truth").first.click()
        assert seen.page.locator("#viewer").bounding_box()["width"] <= 390


def test_names_from_the_data_are_shown_as_text(
    report_inputs, render_report, tmp_path: Path
) -> None:
    inputs = report_inputs(8)
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
    page.write_text(render_report(inputs), encoding="utf-8")
    with visit(page.as_uri()) as seen:
        assert seen.complaints == []
        assert seen.page.locator("#data").text_content().count(HOSTILE) > 20
        assert seen.page.evaluate("document.querySelectorAll('img[onerror]').length") == 0
        assert seen.page.evaluate("window.hit") is None


@pytest.mark.parametrize(("width", "plot"), [(1280, "wide"), (400, "narrow")])
def test_findings_and_plots_fit_the_screen(url: str, width: int, plot: str) -> None:
    with visit(url, width) as seen:
        if width == 400:
            seen.page.locator("#data [data-folds] > summary").click()
        row = seen.page.locator(".findings tbody tr").first
        assert "Clipped beauty" in row.text_content()
        picture = seen.page.locator("#data img.figure").bounding_box()
        assert picture["x"] + picture["width"] <= width
        assert (picture["height"] > picture["width"]) == (plot == "narrow")
