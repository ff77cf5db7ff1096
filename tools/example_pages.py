"""Writes the example pages of the docs: `python -m tools.example_pages`, after `make demo`.

`docs/examples/report.html` is the demo's report; its plots become pictures of fixed size, which
makes the file a third as large. `docs/examples/predict.html` is the page of `predict` for free
photographs that scikit-image ships, by the bundled estimator, with the small pictures inside; the
full-size results are not there, so the links to them are plain text.
"""

import base64
import io
import os
import re
import shutil
import tempfile
from pathlib import Path

import skimage.data
import yaml
from PIL import Image
from playwright.sync_api import sync_playwright

from albedo_pipeline.artifacts.user_predictions import UserPredictionsDataset
from albedo_pipeline.inference.predict_job import predict_job
from albedo_pipeline.params import PredictParams
from albedo_pipeline.reporting.user_page import user_page
from tests.support.browser import CHROMIUM
from tools.readme_pictures import PHOTOGRAPHS

ROOT = Path(__file__).parents[1]
SCALE, COLOURS = 1.5, 32
"""Pixels of a plot per CSS pixel, and the number of its colours."""
ENSEMBLE = {"members": 4, "kind": "augmentation"}
"""The ensemble of `predict`, whose spread its page shows."""
_SVG = re.compile(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]+")
_PICTURE = re.compile(r'src="\./([^"]+)"')
_LINK = re.compile(r'<a href="\./[^"]*"( download)?>')


def report_example(page: str) -> str:
    """The report with its plots as WebP pictures."""
    plots = sorted(set(_SVG.findall(page)))
    pictures = dict(zip(plots, rasterised(plots), strict=True))
    return _SVG.sub(lambda match: pictures[match[0]], page)


def rasterised(plots: list[str]) -> list[str]:
    """Draw SVG data URIs in Chromium => WebP data URIs with a transparent background."""
    uris = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(device_scale_factor=SCALE)
        for plot in plots:
            page.set_content(f'<img style="display: block" src="{plot}">')
            taken = page.locator("img").screenshot(omit_background=True)
            file = io.BytesIO()
            few = Image.open(io.BytesIO(taken)).quantize(
                COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
            )
            few.convert("RGBA").save(file, "WEBP", lossless=True, quality=100, method=6)
            uris.append(_uri("webp", file.getvalue()))
        browser.close()
    return uris


def predict_example() -> str:
    """The page of `predict` for photographs, as one file."""
    settings = yaml.safe_load((ROOT / "conf/base/parameters_predict.yml").read_text())["predict"]
    chosen = {"input": "photographs", "model": "bundled", "ensemble": ENSEMBLE}
    params = PredictParams.model_validate(settings | chosen)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)  # the page names the folder of the images as it was typed
        try:
            Path("photographs").mkdir()
            for photograph in PHOTOGRAPHS:
                shutil.copy(Path(skimage.data.__file__).parent / photograph, "photographs")
            dataset = UserPredictionsDataset(filepath="results")
            dataset.save(predict_job(Path("export"), params))
            return with_pictures(user_page(dataset.load()), Path("results"))
        finally:
            os.chdir(before)


def with_pictures(page: str, folder: Path) -> str:
    """Put the pictures into the page, and make plain text of the links to other files."""
    page = _LINK.sub("<a>", page).replace(
        "</style>", "a:not([href]) { color: inherit; }\n</style>", 1
    )
    return _PICTURE.sub(
        lambda match: f'src="{_uri("jpeg", (folder / match[1]).read_bytes())}"', page
    )


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64," + base64.b64encode(content).decode("ascii")


if __name__ == "__main__":
    report = (ROOT / "data/08_reporting/report.html").read_text(encoding="utf-8")
    examples = ROOT / "docs" / "examples"
    examples.mkdir(exist_ok=True)
    (examples / "report.html").write_text(report_example(report), encoding="utf-8")
    (examples / "predict.html").write_text(predict_example(), encoding="utf-8")
