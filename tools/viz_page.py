"""Makes one file of the page that `kedro viz build` wrote: `python -m tools.viz_page FOLDER`.

The built page loads its program and its data from a web server, and its fonts from another one, so
it cannot be opened as a file. This tool puts icon, style, program and data into the page and
removes the links to the web fonts; the system's sans-serif font takes their place. The page opens
on the pipeline `demo`, and paths in it are relative to the project.
"""

import base64
import json
import re
import sys
from pathlib import Path

import albedo_pipeline
from albedo_pipeline.errors import ProjectError

_FONT_LINK = re.compile(r"<link\b[^>]*fonts\.(?:googleapis|gstatic)\.com[^>]*>")
_SCRIPT = re.compile(r'<script type="module"[^>]*\bsrc="\./([^"]+)"[^>]*></script>')
_STYLE = re.compile(r'<link rel="stylesheet"[^>]*\bhref="\./([^"]+)"[^>]*>')
_ICON = "./favicon.ico"
_RULES = """
.feature-hints, .update-reminder-version-tag { display: none }
.pipeline-metadata__plot { height: auto }
.pipeline-metadata__plot-image { align-self: flex-start; height: auto; object-fit: contain }
"""
"""Hides hints and the notice of a newer version, which are for the person who ran the build; and
keeps the shape of pictures, which Kedro-Viz stretches to a fixed height."""
_FIRST = "pipelines/demo"
"""The pipeline that the page opens on."""
_WITHOUT_SERVER = """
const answers = ANSWERS;
window.fetch = async (request) => {
  const path = new URL(request.url ?? request, location.href).pathname.split("/api/").pop();
  const known = path in answers;
  return new Response(known ? answers[path] : "{}", {
    status: known ? 200 : 404,
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
"""The page answers its own requests, and keeps its address: browsers refuse any other to a file."""


def make_one_file(build: Path) -> Path:
    """Put everything that a built page loads into its `index.html`.

    Args:
        build: the folder that `kedro viz build` wrote.

    Raises:
        ProjectError: if the folder holds no built page, or one that this tool does not know.
    """
    index, api = build / "index.html", build / "api"
    if not (api / "main").is_file():
        raise ProjectError(f"{build}: no page here; run `kedro viz build`")
    page = _FONT_LINK.sub("", index.read_text(encoding="utf-8"))
    script, style = _SCRIPT.search(page), _STYLE.search(page)
    if script is None or style is None:
        raise ProjectError(f"{index}: not as this tool expects it; see tools/viz_page.py")
    program, rules = ((build / link[1]).read_text(encoding="utf-8") for link in (script, style))
    files = [file for file in sorted(api.rglob("*")) if file.is_file()]
    answers = {f.relative_to(api).as_posix(): f.read_text(encoding="utf-8") for f in files}
    answers["main"] = answers.get(_FIRST, answers["main"])
    source = Path(albedo_pipeline.__file__).parents[2]
    for folder in (build.absolute().parent, source, sys.prefix):
        answers = {name: text.replace(f"{folder}/", "") for name, text in answers.items()}
    setup = _WITHOUT_SERVER.replace("ANSWERS", json.dumps(answers))
    icon = base64.b64encode((build / _ICON).read_bytes()).decode()
    for old, new in (
        (_ICON, f"data:image/x-icon;base64,{icon}"),
        (style[0], f"<style>{rules}{_RULES}</style>"),
        (
            script[0],
            f"<script>{_inside_html(setup)}</script>\n"
            f'<script type="module">{_inside_html(program)}</script>',
        ),
    ):
        page = page.replace(old, new)
    index.write_text(page, encoding="utf-8")
    return index


def _inside_html(code: str) -> str:
    """The same JavaScript, with no string that HTML takes for the end of a script or a comment."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", code, flags=re.IGNORECASE)


if __name__ == "__main__":
    print(make_one_file(Path(sys.argv[1])).absolute().as_uri())
