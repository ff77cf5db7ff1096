"""The app in Chromium: a prediction from the upload to the download, bad files, cancel."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio")

from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.params import AppParams
from tests.support.app import served
from tests.support.broken_images import codes, cut, image, noise
from tests.support.browser import CHROMIUM, visit
from tests.support.marigold import save_marigold

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
READY = "#predict"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    model = save_marigold(folder / "model")
    params = AppParams(max_megapixels=0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "files"))
        with served(folder, params, model) as url:
            yield url


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five kinds of images, one that is cut off, and one that is too large."""
    folder = tmp_path_factory.mktemp("in")
    image(folder / "eight.png", codes()[:24, :32])
    image(folder / "sixteen.png", (noise()[:24, :32] * 65535).astype(np.uint16))
    image(folder / "linear.exr", noise()[:24, :32].astype(np.float16))
    image(folder / "radiance.hdr", noise()[:24, :32] * 5)
    image(folder / "photo.jpg", codes()[:24, :32])
    cut(folder / "cut.jpg")
    Image.new("L", (200, 100)).save(folder / "<i>large.png")
    return folder


@pytest.mark.slow
def test_five_kinds_of_files_are_predicted_and_two_bad_ones_named(address, files, tmp_path) -> None:
    with visit(address, shown=READY) as seen:
        page = seen.page
        page.locator("#files input[type=file]").set_input_files(sorted(map(str, files.iterdir())))
        page.locator("#members input[type=number]").fill("2")
        page.locator("#files").get_by_text("radiance").wait_for()
        page.locator("#predict").click()
        page.locator("#details").get_by_text("32 × 24, uint16").wait_for(timeout=60_000)
        page.locator("#image input").wait_for()
        messages = page.locator("#messages p").all_text_contents()
        assert {text.split(":")[0] for text in messages} == {"ilarge.png", "cut.jpg"}
        assert any("200 x 100 pixels: more than 0.01 megapixels" in text for text in messages)
        assert len(messages) == 2

        before = page.locator("#comparison img").first.evaluate("image => image.src")
        page.locator("#left input").click()
        page.get_by_role("option", name="Uncertainty").click()
        page.wait_for_function(
            "before => document.querySelector('#comparison img').src !== before", arg=before
        )
        for kind, space in (("exr", "linear"), ("png", "srgb"), ("uncertainty", "linear")):
            with page.expect_download() as download:
                page.locator(f"#download-{kind}").click()
            suffix = "png" if kind == "png" else "exr"
            path = tmp_path / f"{kind}.{suffix}"
            download.value.save_as(path)
            found = read_colour(path, 10_000)
            assert found.pixels.shape == (24, 32, 3)
            assert found.space == space
            assert found.type == ("uint16" if kind == "png" else "half")
        assert seen.outside() == []
        assert seen.complaints == []


def test_without_an_image_the_app_asks_for_one_and_fits_a_phone(address) -> None:
    with visit(address, width=390, shown=READY) as seen:
        seen.page.locator("#predict").click()
        seen.page.get_by_text("Drop an image first.").wait_for()
        seen.page.locator("#cancel").click()
        seen.page.get_by_text("Cancelled.").wait_for()
        assert seen.page.evaluate(OVERFLOW) <= 0
        assert seen.outside() == []
        assert seen.complaints == []


@pytest.mark.slow
def test_an_open_app_shows_nothing_without_its_token(tmp_path) -> None:
    params = AppParams(host="0.0.0.0", token="a secret token")
    with served(tmp_path, params) as url:
        port = url.split(":")[2].split("/")[0]
        with visit(f"http://127.0.0.1:{port}/") as seen:
            assert "?token=" in seen.page.locator("body").inner_text()
            seen.page.goto(f"http://127.0.0.1:{port}/?token=a+secret+token")
            seen.page.wait_for_selector(READY, timeout=60_000)
            assert seen.page.url == f"http://127.0.0.1:{port}/"
