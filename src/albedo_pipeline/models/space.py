"""The app of an exported model as a folder that Hugging Face runs as a Space."""

import re
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import yaml

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.atomic_files import replaced_folder
from albedo_pipeline.runtime.storage import on_disk

_PACKAGE = Path(__file__).parents[1]
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "bundled")
"""What the Space does not need of the package: it has a model of its own."""
_PYTHON = "3.11"
_APP = '''"""The app of this Space: the albedo of your images."""

import os
from pathlib import Path

from albedo_pipeline.app.run import run_app
from albedo_pipeline.params import AppParams, PredictParams

MODEL = Path(__file__).parent / "model"
PREDICT = {"exposure": {"policy": "brightest_channel", "percentile": 90.0, "target": 0.8}}

if __name__ == "__main__":
    app = AppParams(
        host="0.0.0.0",
        port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
        public=True,
        model=str(MODEL),
        choose_model=False,
        max_megapixels=8,
        training=False,
    )
    run_app(MODEL, {}, app, PredictParams.model_validate(PREDICT))
'''
_PAGE = """
The folder `model` opens in diffusers as a `MarigoldIntrinsicsPipeline`; its README is the model
card. `albedo_pipeline` is the code that predicts with it.
"""


def check_space(folder: Path) -> Path:
    """The folder of the Space, if one can be written there.

    Raises:
        ProjectError: if the folder is in object storage, or gradio is not installed.
    """
    _version("gradio")
    return on_disk(str(folder), "the Space")


def write_space(folder: Path, export: Path, title: str, licence: str) -> None:
    """Write the Space: its page with front matter, app, requirements, the model and the package.

    Args:
        folder: the folder of the Space; it is replaced in one step.
        export: folder of the exported model.
        title: title of the Space.
        licence: licence of the weights, by the Hub's name for it.

    Raises:
        ProjectError: if the folder is in object storage, gradio is not installed, or a file cannot
            be written.
    """
    folder = check_space(folder)
    front_matter = {
        "title": title,
        "sdk": "gradio",
        "sdk_version": _version("gradio"),
        "python_version": _PYTHON,
        "app_file": "app.py",
        "license": licence,
        "pinned": False,
    }
    text = f"---\n{yaml.safe_dump(front_matter, sort_keys=False)}---\n\n# {title}\n{_PAGE}"
    with replaced_folder(folder) as partial:
        (partial / "README.md").write_text(text, encoding="utf-8")
        (partial / "app.py").write_text(_APP, encoding="utf-8")
        (partial / "requirements.txt").write_text("\n".join(_requirements()) + "\n")
        shutil.copytree(export, partial / "model")
        shutil.copytree(_PACKAGE, partial / _PACKAGE.name, ignore=_LEFT_OUT)


def _requirements() -> list[str]:
    """What the package needs, and gradio, each in the version that is installed here."""
    needed = [r for r in requires("albedo_pipeline") or [] if "extra ==" not in r]
    names = [re.split(r"[^\w.-]", requirement)[0] for requirement in needed]
    return [f"{name}=={_version(name)}" for name in sorted([*names, "gradio"], key=str.lower)]


def _version(name: str) -> str:
    """The installed version of a package, without the suffix of a local build."""
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError as error:
        raise ProjectError(
            f"export.space: needs {name}; run pip install 'albedo_pipeline[app]'"
        ) from error
