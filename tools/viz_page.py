"""Kedro-Viz without requests: to no font server, and of a built page to no web server either.

Its page links web fonts, which this one leaves out; the system's sans-serif font takes their place.
`python -m albedo_pipeline.offline_viz FOLDER`: make the page that `kedro viz build` left there
whole. As it is it asks a web server for its parts, and browsers give a page opened as a file none.
"""

import base64
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from albedo_pipeline.errors import ProjectError

_PAGE_KEEPERS = ("kedro_viz.api.apps", "kedro_viz.integrations.deployment.base_deployer")
"""Modules that `kedro viz run` and `kedro viz build` know the page by."""
_FONT_LINK = re.compile(r"<link\b[^>]*fonts\.(?:googleapis|gstatic)\.com[^>]*>")
_SCRIPT = re.compile(r'<script type="module"[^>]*\bsrc="\./([^"]+)"[^>]*></script>')
_STYLE = re.compile(r'<link rel="stylesheet"[^>]*\bhref="\./([^"]+)"[^>]*>')
_ICON = "./favicon.ico"
_CLEARER = ".feature-hints, .update-reminder-version-tag { display: none }"
"""Of a page that is sent to others: no advertising over the chain, the version once."""
_SERVERLESS = """
const answers = ANSWERS;
window.fetch = async (request) => {
  const path = new URL(request.url ?? request, location.href).pathname.split("/api/").pop();
  const found = path in answers;
  return new Response(found ? answers[path] : "{}", {
    status: found ? 200 : 404,
    headers: {"Content-Type": "application/json"},
  });
};
for (const name of ["pushState", "replaceState"]) {
  const change = history[name].bind(history);
  history[name] = (state, title, url) => {
    try { change(state, title, url); } catch { change(state, title); }
  };
}
"""
"""Requests are answered from the page; its other views keep its address, which is a file's."""


def serve_offline(folder: Path = Path(".viz", "html")) -> None:
    """Where this process serves or builds Kedro-Viz, have it take a page made in `folder`.

    Raises:
        ProjectError: where this version of Kedro-Viz keeps its page elsewhere.
    """
    keeper: Any
    for keeper in filter(None, map(sys.modules.get, _PAGE_KEEPERS)):
        page = getattr(keeper, "_HTML_DIR", None)
        if page is None:
            raise ProjectError("kedro-viz: its page is not where it was; see offline_viz.py")
        if page != folder.absolute():
            keeper._HTML_DIR = without_web_fonts(page, folder.absolute())
    router: Any = sys.modules.get("kedro_viz.api.rest.router")
    if router is not None:  # offline it would announce the version `None`
        from kedro_viz.api.rest.responses.version import get_static_version_response

        router.get_version_response = get_static_version_response


def without_web_fonts(page: Path, folder: Path) -> Path:
    """A copy of Kedro-Viz's page whose index links no web font."""
    shutil.copytree(page, folder, dirs_exist_ok=True)
    index = folder / "index.html"
    index.write_text(_FONT_LINK.sub("", index.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def write_whole_page(build: Path) -> Path:
    """Put a built site's icon, style, program and data into its index.

    Raises:
        ProjectError: where nothing was built, or by a Kedro-Viz that builds differently.
    """
    index, api = build / "index.html", build / "api"
    if not (api / "main").is_file():
        raise ProjectError(f"{build}: 'kedro viz build' left no page here")
    page = index.read_text(encoding="utf-8")
    script, style = _SCRIPT.search(page), _STYLE.search(page)
    if script is None or style is None:
        raise ProjectError("kedro-viz: its page is not what it was; see offline_viz.py")
    program, look = ((build / link[1]).read_text(encoding="utf-8") for link in (script, style))
    files = [file for file in sorted(api.rglob("*")) if file.is_file()]
    answers = {f.relative_to(api).as_posix(): f.read_text(encoding="utf-8") for f in files}
    serverless = _SERVERLESS.replace("ANSWERS", json.dumps(answers))
    icon = base64.b64encode((build / _ICON).read_bytes()).decode()
    for old, new in (
        (_ICON, f"data:image/x-icon;base64,{icon}"),
        (style[0], f"<style>{look}{_CLEARER}</style>"),
        (
            script[0],
            f"<script>{_inside_html(serverless)}</script>\n"
            f'<script type="module">{_inside_html(program)}</script>',
        ),
    ):
        page = page.replace(old, new)
    index.write_text(page, encoding="utf-8")
    return index


def _inside_html(code: str) -> str:
    """JavaScript in whose strings HTML sees neither the end of the script nor a comment."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", code, flags=re.IGNORECASE)


if __name__ == "__main__":
    print(write_whole_page(Path(sys.argv[1])).absolute().as_uri())
