"""Kedro-Viz without requests to a font server: its page links web fonts, which this one leaves out.

The system's sans-serif font takes their place.
"""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from albedo_pipeline.errors import ProjectError

_FONT_LINK = re.compile(r"<link\b[^>]*fonts\.(?:googleapis|gstatic)\.com[^>]*>")


def serve_offline(folder: Path = Path(".viz", "html")) -> None:
    """Where this process is the Kedro-Viz server, have it serve a page made in `folder`.

    Raises:
        ProjectError: where this version of Kedro-Viz keeps its page elsewhere.
    """
    server: Any = sys.modules.get("kedro_viz.api.apps")
    if server is None:
        return
    page = getattr(server, "_HTML_DIR", None)
    if page is None:
        raise ProjectError("kedro-viz: its page is not where it was; see offline_viz.py")
    if page != folder.absolute():
        server._HTML_DIR = without_web_fonts(page, folder.absolute())


def without_web_fonts(page: Path, folder: Path) -> Path:
    """A copy of Kedro-Viz's page whose index links no web font."""
    shutil.copytree(page, folder, dirs_exist_ok=True)
    index = folder / "index.html"
    index.write_text(_FONT_LINK.sub("", index.read_text(encoding="utf-8")), encoding="utf-8")
    return folder
