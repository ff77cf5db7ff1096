"""The page of the user's predictions, as text and in Chromium."""

import re
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.artifacts.user_results import UserPrediction, write_results
from albedo_pipeline.params.predict import OutputParams
from albedo_pipeline.reporting.user_page import user_page
from tests.support.browser import CHROMIUM, visit

HOSTILE = "<img src=x onerror=window.hit=1>"
NAMES = [f"{HOSTILE}.png", "room/50% #1? ö:b.exr", "javascript:alert(1).png", "plain.tif"]
RECORD = {
    "width": 30,
    "height": 20,
    "type": "half",
    "space": "linear",
    "colour_source": "pixel type",
    "colour_doubt": "",
    "exposure": 2.5,
    "clipped_share": 0.2,
    "nonfinite_share": 0.0,
    "negative_share": 0.01,
    "transparent_share": 0.0,
    "tiles": 6,
    "seconds": 1.25,
}
SETTINGS = {
    "input": HOSTILE,
    "model": "prs-eth/marigold-iid",
    "model_digest": "0123456789abcdef",
    "space": "srgb",
    "output": {"exr": "linear", "png": "srgb", "png_bits": 8, "tiff": None},
    "steps": 4,
    "ensemble": 2,
    "ensemble_kind": "noise",
    "resolution": 768,
    "whole_megapixels": 4.0,
}


def predictions(folder: Path) -> dict:
    """Results for all of `NAMES` in a folder, and one failed image."""
    random = np.random.default_rng(0)
    images = [{"name": f"{HOSTILE}.jpg", "output": "bad", "reason": f"damaged {HOSTILE}"}]
    for name in NAMES:
        output = name.rpartition(".")[0]
        made = UserPrediction(
            beauty=random.integers(0, 65536, (20, 30, 3), np.uint16),
            albedo=random.random((20, 30, 3)).astype(np.float16),
            uncertainty=random.random((20, 30, 3)).astype(np.float16),
            record=RECORD,
        )
        files = write_results(folder, output, made, OutputParams())
        images.append({"name": name, "output": output, "reason": "", **RECORD, "files": files})
    return {"settings": SETTINGS, "others": 1, "companions": 2, "images": images}


def test_the_page_counts_images_and_shows_their_details(tmp_path: Path) -> None:
    page = user_page(predictions(tmp_path))
    expected = "4 images with an albedo, 1 image that could not be used, 1 other file skipped, "
    assert f"{expected}2 companion files passed over (._name, .DS_Store, Thumbs.db" in page
    assert "30 × 20, half, linear, exposure × 2.5, 6 tiles, 1.2 s" in page
    assert "1.0 % of the pixels are negative and were treated as black" in page
    assert "NaN" not in page
    assert HOSTILE not in page


@pytest.mark.parametrize(("members", "named"), [(1, False), (2, True)])
def test_what_members_differ_in_is_shown_if_there_are_several(
    tmp_path: Path, members: int, named: bool
) -> None:
    results = predictions(tmp_path) | {"settings": SETTINGS | {"ensemble": members}}
    assert ("Members differ in" in user_page(results)) == named


def test_the_page_shows_what_was_done_with_the_colours(tmp_path: Path) -> None:
    results = predictions(tmp_path)
    results["images"][1] |= {
        "space": "srgb",
        "colour_source": "ICC profile (<b>P3</b>), converted",
        "colour_doubt": "declared srgb, but the file says cICP 12-13-0-1",
    }
    page = user_page(results)
    assert "half, sRGB by ICC profile (&lt;b&gt;P3&lt;/b&gt;), converted, 6 tiles" in page
    assert "colour space: declared srgb, but the file says cICP 12-13-0-1" in page


def test_file_names_that_are_not_utf_8(tmp_path: Path) -> None:
    results = predictions(tmp_path)
    results["images"][1]["name"] = "\udcff.png"
    results["images"][1]["files"]["exr"] = "\udcff_albedo.exr"
    page = user_page(results)
    assert "./%FF_albedo.exr" in page
    page.encode("utf-8")


def test_the_page_without_images() -> None:
    page = user_page({"settings": SETTINGS, "others": 0, "companions": 0, "images": []})
    assert "0 images with an albedo." in page
    assert "could not be used" not in page


def test_a_thousand_images_make_a_small_page(tmp_path: Path) -> None:
    results = predictions(tmp_path)
    results["images"] = results["images"][-1:] * 1000
    page = user_page(results)
    assert len(page.encode("utf-8")) < 2_000_000
    assert "base64" not in page
    assert page.count("<img ") == page.count('loading="lazy"') == 3000


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_chromium_has_no_broken_images_or_links(tmp_path: Path, width: int) -> None:
    page = tmp_path / "index.html"
    page.write_text(user_page(predictions(tmp_path)), encoding="utf-8")
    with visit(page.as_uri(), width) as seen:
        for image in seen.page.locator("img").all():
            image.scroll_into_view_if_needed()
        seen.page.wait_for_load_state("networkidle")
        assert seen.outside() == []
        assert seen.complaints == []
        broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
        assert seen.page.evaluate(broken) == 0
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(overflow) <= 0
        assert seen.page.evaluate("document.images.length") == 12
        assert seen.page.evaluate("window.hit") is None
        assert seen.page.locator("h3").first.text_content() == NAMES[0]
        links = seen.page.evaluate("[...document.links].map(a => decodeURIComponent(a.pathname))")
        assert len(links) == 24
        assert all(Path(link).is_file() for link in links)
        assert not re.search("javascript:[^/]*$", seen.page.url)


def test_the_frames_of_a_sequence_are_folded_below_its_video(tmp_path: Path) -> None:
    results = predictions(tmp_path)
    outputs = [record["output"] for record in results["images"][1:3]]
    facts = {"name": "shot.[1-2].exr", "frames": 2, "failed": 0, "shots": 1, "flicker": 0.0125}
    facts |= {"frames_per_second": 24, "still_share": 0.5, "files": {"video": "shot.gif"}}
    results["sequences"] = [facts | {"outputs": outputs}]
    page = user_page(results)
    sequences, images = page.split('<section id="images">')
    shown, folded = sequences.split("<details>")
    assert shown.index("flicker 0.0125") < shown.index('src="./shot.gif"')
    assert "<article" not in shown.split("</h3>")[1]
    assert "2 frames, each with its files" in folded
    assert folded.count('<article class="image">') == 2
    assert images.count('<article class="image">') == 2
    assert "plain.tif" in images
    assert "plain.tif" not in folded
