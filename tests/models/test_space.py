"""The app as a Space: what Hugging Face reads, and that its app.py runs."""

import os
import re
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

pytest.importorskip("gradio")

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.space import write_space
from albedo_pipeline.params import ExportParams
from albedo_pipeline.pipelines.export.nodes import make_export
from albedo_pipeline.runtime.storage import location
from tests.support.marigold import save_marigold


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space")
    export = save_marigold(folder / "export")
    write_space(folder / "space", export, "My: albedo", "apache-2.0")
    return folder / "space"


def test_the_page_and_the_requirements_are_what_the_hub_reads(space: Path) -> None:
    front_matter = yaml.safe_load((space / "README.md").read_text().split("---\n")[1])
    assert front_matter == {
        "title": "My: albedo",
        "sdk": "gradio",
        "sdk_version": version("gradio"),
        "python_version": "3.11",
        "app_file": "app.py",
        "license": "apache-2.0",
        "pinned": False,
    }
    lines = (space / "requirements.txt").read_text().splitlines()
    assert f"gradio=={version('gradio')}" in lines
    assert f"torch=={version('torch').split('+')[0]}" in lines
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert not any("mitsuba" in line for line in lines)


def test_a_space_in_object_storage_is_refused_before_the_export() -> None:
    nothing: Any = None
    params, bucket = ExportParams(space=True), location("s3://bucket/space")
    with pytest.raises(ProjectError, match="s3://bucket/space: the Space must be on a disk"):
        make_export(nothing, nothing, nothing, {}, {}, {}, bucket, params)


def test_it_has_the_model_and_the_code_but_not_the_bundled_models(space: Path) -> None:
    assert (space / "model/model_index.json").is_file()
    assert (space / "albedo_pipeline/app/page.css").is_file()
    assert not (space / "albedo_pipeline/models/bundled").exists()
    assert not list(space.rglob("__pycache__"))


@pytest.mark.slow
def test_app_py_serves_the_app(space: Path) -> None:
    environment = os.environ | {"GRADIO_SERVER_PORT": "0", "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    code = (
        "import logging, runpy; logging.basicConfig(level='INFO');"
        "import albedo_pipeline; print(albedo_pipeline.__file__, flush=True);"
        "runpy.run_path('app.py', run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=space,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert Path(process.stdout.readline().strip()).is_relative_to(space)
        lines = iter(process.stdout.readline, "")
        ready = next(line for line in lines if "The app is ready" in line)
        port = re.search(r":(\d+)/", ready)[1]
        with urlopen(f"http://127.0.0.1:{port}/config") as answer:
            text = answer.read().decode()
        assert '"elem_id":"predict"' in text
        assert "Training" not in text
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
