"""Kedro-Viz without a network: no font server for its pages, and no web server for a built one.

Its page links web fonts, which these leave out; the system's sans-serif font takes their place.
A page that `kedro viz build` made asks a web server for its parts, which browsers allow no page
that lies in a folder: `python -m albedo_pipeline.offline_viz build` writes them all into it.
"""

import json
import re
import shutil
import sys
from pathlib import Path

from albedo_pipeline.errors import ProjectError

_PAGE_KEEPERS = ("kedro_viz.api.apps", "kedro_viz.integrations.deployment.base_deployer")
"""Modules that `kedro viz run` and `kedro viz build` know the page by."""
_FONT_LINK = re.compile(r"<link\b[^>]*fonts\.(?:googleapis|gstatic)\.com[^>]*>")
_SCRIPT = re.compile(r'<script type="module"[^>]*\bsrc="\./([^"]+)"[^>]*></script>')
_STYLE = re.compile(r'<link rel="stylesheet"[^>]*\bhref="\./([^"]+)"[^>]*>')
_ANSWER = """
const answers = ANSWERS;
window.fetch = async (request) => {
  const path = new URL(request.url ?? request, location.href).pathname.split("/api/").pop();
  const found = path in answers;
  return new Response(found ? answers[path] : "{}", {
    status: found ? 200 : 404,
    headers: {"Content-Type": "application/json"},
  });
};
"""


def serve_offline(folder: Path = Path(".viz", "html")) -> None:
    """Where this process serves or builds Kedro-Viz, have it take a page made in `folder`.

    Raises:
        ProjectError: where this version of Kedro-Viz keeps its page elsewhere.
    """
    for keeper in filter(None, map(sys.modules.get, _PAGE_KEEPERS)):
        page = getattr(keeper, "_HTML_DIR", None)
        if page is None:
            raise ProjectError("kedro-viz: its page is not where it was; see offline_viz.py")
        if page != folder.absolute():
            keeper._HTML_DIR = without_web_fonts(page, folder.absolute())


def without_web_fonts(page: Path, folder: Path) -> Path:
    """A copy of Kedro-Viz's page whose index links no web font."""
    shutil.copytree(page, folder, dirs_exist_ok=True)
    index = folder / "index.html"
    index.write_text(_FONT_LINK.sub("", index.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def write_whole_page(build: Path) -> Path:
    """Have the index of a built site hold its style, its program and all of its data.

    Raises:
        ProjectError: where nothing was built, or by a Kedro-Viz that builds differently.
    """
    index, api = build / "index.html", build / "api"
    if not index.is_file() or not (api / "main").is_file():
        raise ProjectError(f"{build}: no page of 'kedro viz build'")
    page = index.read_text(encoding="utf-8")
    script, style = _SCRIPT.search(page), _STYLE.search(page)
    if script is None or style is None:
        raise ProjectError("kedro-viz: its page is not what it was; see offline_viz.py")
    program, look = ((build / m[1]).read_text(encoding="utf-8") for m in (script, style))
    answers = {
        file.relative_to(api).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(api.rglob("*"))
        if file.is_file()
    }
    data = _ANSWER.replace("ANSWERS", json.dumps(answers))
    page = page.replace(style[0], f"<style>{look}</style>")
    page = page.replace(
        script[0],
        f"<script>{_inside_html(data)}</script><script type='module'>{_inside_html(program)}</script>",
    )
    index.write_text(page, encoding="utf-8")
    return index


def _inside_html(code: str) -> str:
    """JavaScript whose texts hold nothing that HTML takes for the end of the script."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", code, flags=re.IGNORECASE)


if __name__ == "__main__":
    print(write_whole_page(Path(sys.argv[1])).absolute().as_uri())
