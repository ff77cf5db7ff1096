"""dvc.yaml names the code that a stage runs, and no code that would run it again for nothing."""

import re

import pytest
import yaml

from tools.dvc_dependencies import (
    DVC_YAML,
    FILE_BY_FILE,
    MARK,
    STAGES,
    code_of,
    path_of,
    reachable,
    with_code,
)

TEXT = DVC_YAML.read_text(encoding="utf-8")


def covers(dependency: str, path: str) -> bool:
    return path == dependency or path.startswith(f"{dependency}/")


def test_dvc_yaml_is_up_to_date() -> None:
    assert with_code(TEXT) == TEXT, "run `make dvc`"


def test_the_code_is_what_dvc_reads_below_the_mark() -> None:
    for stage, content in yaml.safe_load(TEXT)["stages"].items():
        code = [path for path in content["deps"] if path.startswith("${code}/")]
        assert [path.removeprefix("${code}/") for path in code] == code_of(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_code_that_it_runs_and_on_no_other(stage: str) -> None:
    code, files = code_of(stage), [path_of(module) for module in reachable(stage)]
    assert [file for file in files if not any(covers(path, file) for path in code)] == []
    assert [path for path in code if not any(covers(path, file) for file in files)] == []


def test_each_stage_that_names_files_uses_some_of_the_folder() -> None:
    used = {stage: {path.split("/")[0] for path in code_of(stage)} for stage in STAGES}
    for folder, (stages, reason) in FILE_BY_FILE.items():
        assert reason
        users = [stage for stage in stages if folder in used[stage]]
        assert users == list(stages) if stages != STAGES else users, folder


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("readers/hypersim.py", []),
        ("rendering/textures.py", ["synthesize", "sequence"]),
        ("preprocessing/ingest.py", ["ingest"]),
        ("preprocessing/encode.py", ["encode"]),
        ("pipelines/encode/nodes.py", ["encode"]),
        ("training/trainer.py", ["autoencoder", "train"]),
        ("inference/predict_job.py", ["evaluate", "sequence"]),
        ("metrics/image/lmse.py", ["evaluate", "sequence", "report", "export"]),
    ],
)
def test_a_change_of_code_runs_these_stages(file: str, stages: list[str]) -> None:
    """The quick form of `tests/endurance/dvc_reruns.py`, which runs DVC after such changes."""
    assert [s for s in STAGES if any(covers(path, file) for path in code_of(s))] == stages


def test_a_stage_without_the_mark_is_named() -> None:
    unmarked = re.sub(rf" *{re.escape(MARK)}\n", "", TEXT, count=1)
    with pytest.raises(ValueError, match="'synthesize' need"):
        with_code(unmarked)
