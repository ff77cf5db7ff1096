"""What a run records of itself."""

import json
import shlex
import sys
from pathlib import Path

import torch

from albedo_pipeline.provenance.run_record import (
    package_versions,
    record_end,
    record_text,
    run_record,
    write_record,
)


def record() -> dict:
    return run_record({"peak": 1e-4}, {"latents": "0123"}, code="abcd", processes=2)


def test_a_record_holds_the_facts_of_this_process() -> None:
    facts = record()
    assert facts["configuration"] == {"peak": 1e-4}
    assert facts["data"] == {"latents": "0123"}
    assert (facts["code"], facts["processes"]) == ("abcd", 2)
    assert facts["command"] == shlex.join(sys.orig_argv)
    assert facts["packages"]["torch"] == torch.__version__
    assert set(facts["git"]) == {"commit", "changed", "untracked"}


def test_versions_are_sorted_by_package() -> None:
    names = list(package_versions())
    assert names == sorted(names)


def test_the_text_leaves_out_the_packages() -> None:
    facts = record()
    assert json.loads(record_text(facts)) == {k: v for k, v in facts.items() if k != "packages"}


def test_a_start_adds_one_file(tmp_path: Path) -> None:
    facts = record()
    write_record(tmp_path, facts, diff=b"")
    (path,) = (tmp_path / "runs").iterdir()
    assert json.loads(path.read_text(encoding="utf-8")) == facts


def test_starts_within_one_second_have_a_file_each(tmp_path: Path) -> None:
    facts = record()
    paths = [write_record(tmp_path, facts, diff=b"") for _ in range(3)]
    assert sorted((tmp_path / "runs").iterdir()) == paths


def test_uncommitted_changes_stand_beside_the_record(tmp_path: Path) -> None:
    write_record(tmp_path, record(), diff=b"-a\n+b\n")
    json_file, diff_file = sorted((tmp_path / "runs").iterdir(), key=lambda p: p.suffix)[::-1]
    assert (json_file.suffix, diff_file.suffix) == (".json", ".diff")
    assert json_file.stem == diff_file.stem
    assert diff_file.read_bytes() == b"-a\n+b\n"


def test_durations_of_runs_add_up_without_those_that_were_killed(tmp_path: Path) -> None:
    first = write_record(tmp_path, record(), diff=b"")
    second, killed = (first.with_name(f"{name}.json") for name in ("second", "killed"))
    for path in (second, killed):
        path.write_bytes(first.read_bytes())
    assert record_end(first, 60.5) == 60.5
    assert record_end(second, 30.0) == 90.5
    facts = json.loads(first.read_text(encoding="utf-8"))
    assert facts == record() | {"started": facts["started"], "seconds": 60.5}
