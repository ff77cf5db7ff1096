"""The page of Kedro-Viz as one file, which loads nothing."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.pipeline_registry import DEFAULT_PIPELINES, RENDERED_PIPELINES
from tests.support.browser import CHROMIUM, visit
from tests.support.project import ROOT, new_project, run_kedro
from tools.viz_page import make_one_file


class Links(HTMLParser):
    """Collects the addresses in a page's tags."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


def test_a_folder_without_a_page(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="run `kedro viz build`"):
        make_one_file(tmp_path)


def test_a_page_of_an_unknown_kedro_viz(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "main").write_text("{}", encoding="utf-8")
    (tmp_path / "index.html").write_text("<html></html>", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"index\.html: not as this tool expects it"):
        make_one_file(tmp_path)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page made from a build, alone in its folder."""
    project = new_project(tmp_path_factory.mktemp("project"))
    scores = project / "data/test/08_reporting/headline.json"
    scores.parent.mkdir(parents=True)
    scores.write_text(json.dumps({"test": {"psnr": "</script><!--<script>"}}))
    built = run_kedro(project, "viz", "build", "--include-previews")
    assert (project / "build/api/main").is_file(), built.stderr
    return make_one_file(project / "build").rename(project / "alone.html")


@pytest.mark.slow
def test_it_names_no_folder_of_this_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "conf/base" in text or "src/albedo_pipeline" in text
    assert str(page.parent) not in text
    assert str(ROOT) not in text


@pytest.mark.slow
def test_its_tags_link_nothing(page: Path) -> None:
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    assert [address[:24] for address in links.addresses] == ["data:image/x-icon;base64"]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_it_opens_as_a_file_and_loads_nothing(page: Path) -> None:
    with visit(page.as_uri()) as seen:
        boxes = seen.page.locator(".pipeline-node--modularPipeline")
        boxes.first.wait_for()
        assert {box.strip() for box in boxes.all_text_contents()} == {
            *RENDERED_PIPELINES,
            *DEFAULT_PIPELINES,
        }
        for hidden in (".feature-hints", ".update-reminder-version-tag"):
            seen.page.locator(hidden).wait_for(state="attached")
            assert not seen.page.locator(hidden).is_visible()
        seen.page.get_by_text("headline", exact=True).first.click()
        seen.page.get_by_text("</script><!--<script>").wait_for()
        seen.page.locator("a[href$=workflow]").click()
        seen.page.get_by_text("Kedro run not found").wait_for()
    assert not seen.complaints
    assert not seen.outside()
