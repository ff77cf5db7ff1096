"""Kedro-Viz's pages ask nobody for anything."""

import json
from pathlib import Path

import pytest
from albedo_pipeline.offline_viz import serve_offline, without_web_fonts, write_whole_page

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.pipeline_registry import DEFAULT_PIPELINES
from tests.support.browser import CHROMIUM, visit
from tests.support.project import new_project, run_kedro


def test_the_page_links_no_web_font(tmp_path: Path) -> None:
    import kedro_viz

    page = Path(kedro_viz.__file__).parent / "html"
    offline = without_web_fonts(page, tmp_path / "html")
    assert "fonts.g" not in (offline / "index.html").read_text(encoding="utf-8")
    assert (offline / "assets").is_dir()


def test_the_server_takes_that_page_and_asks_for_no_newer_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kedro_viz.api import apps
    from kedro_viz.api.rest import router

    monkeypatch.setattr(apps, "_HTML_DIR", apps._HTML_DIR)
    monkeypatch.setattr(router, "get_version_response", None)
    serve_offline(tmp_path / "html")
    assert tmp_path / "html" == apps._HTML_DIR
    assert not router.get_version_response().is_outdated


def test_a_folder_without_a_page(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="kedro viz build"):
        write_whole_page(tmp_path)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a built page, made whole; it stands alone in its folder."""
    project = new_project(tmp_path_factory.mktemp("project"))
    scores = project / "data/test/08_reporting/headline.json"
    scores.parent.mkdir(parents=True)
    scores.write_text(json.dumps({"test": {"psnr": "</script><!--<script>"}}))
    built = run_kedro(project, "viz", "build", "--include-previews")
    assert (project / "build/api/main").is_file(), built.stderr
    whole = write_whole_page(project / "build")
    return whole.rename(project / "alone.html").as_uri()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_built_page_opens_from_its_folder(page: str) -> None:
    with visit(page) as seen:
        boxes = seen.page.locator(".pipeline-node--modularPipeline")
        boxes.first.wait_for()
        assert {box.strip() for box in boxes.all_text_contents()} == set(DEFAULT_PIPELINES)
        for clutter in (".feature-hints", ".update-reminder-version-tag"):
            seen.page.locator(clutter).wait_for(state="attached")
            assert not seen.page.locator(clutter).is_visible()
        seen.page.get_by_text("headline", exact=True).first.click()
        seen.page.get_by_text("</script><!--<script>").wait_for()
        seen.page.locator("a[href$=workflow]").click()
        seen.page.get_by_text("Kedro run not found").wait_for()
    assert not seen.complaints
    assert not seen.outside()
