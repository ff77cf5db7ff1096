"""The hooks: what they do before a result is saved."""

import json
import logging
import os
from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from kedro_datasets.json import JSONDataset

from albedo_pipeline.artifacts.tensorboard import TensorBoardDataset
from albedo_pipeline.hooks import CorrectVizRecord, LogSteps, UnlinkDvcCache
from albedo_pipeline.readers.filename_list import FilenameListDataset


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_result_that_is_a_link_into_the_cache_is_replaced(tmp_path: Path, link) -> None:
    cached, result = tmp_path / "cached", tmp_path / "result.json"
    cached.write_text('"old"', encoding="utf-8")
    link(cached, result)
    catalog = DataCatalog({"result": JSONDataset(filepath=str(result))})
    hook = UnlinkDvcCache()
    hook.before_pipeline_run(catalog)
    hook.before_dataset_saved("result")
    catalog.save("result", "new")
    assert json.loads(cached.read_text(encoding="utf-8")) == "old"
    assert json.loads(result.read_text(encoding="utf-8")) == "new"
    assert not result.is_symlink()


def test_a_result_that_is_no_link_stays_until_it_is_saved(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    result.write_text('"old"', encoding="utf-8")
    hook = UnlinkDvcCache()
    hook.before_pipeline_run(DataCatalog({"result": JSONDataset(filepath=str(result))}))
    hook.before_dataset_saved("result")
    assert result.is_file()


def test_the_projects_own_datasets_replace_links_themselves(tmp_path: Path, fake_pair) -> None:
    """The old result stays until the new one is complete."""
    dataset = FilenameListDataset(filepath=str(tmp_path / "raw" / "pairs.txt"))
    dataset.save([fake_pair("scene/old")])
    os.link(tmp_path / "raw" / "pairs.txt", tmp_path / "cached")
    hook = UnlinkDvcCache()
    hook.before_pipeline_run(DataCatalog({"raw_pairs": dataset}))
    hook.before_dataset_saved("raw_pairs")
    assert dataset.exists()
    dataset.save([fake_pair("scene/new")])
    assert "old" in (tmp_path / "cached").read_text(encoding="utf-8")


@pytest.fixture
def steps(caplog: pytest.LogCaptureFixture) -> LogSteps:
    """The hook at the start of a run of two nodes."""
    caplog.set_level(logging.INFO, "albedo_pipeline.hooks")
    hook = LogSteps()
    hook.before_pipeline_run(pipeline([FIRST, CHECK]))
    return hook


FIRST = node(lambda: (1, 2), None, ["a", "b"], name="first")
SECOND = node(lambda a: a, "a", "c", name="second")
CHECK = node(lambda a: None, "a", None, name="check")


def test_a_step_has_its_number_and_one_line_for_all_results(
    steps: LogSteps, caplog: pytest.LogCaptureFixture
) -> None:
    steps.before_node_run(FIRST)
    for name in ("a", "a", "b", "b"):  # chunks of a generator
        steps.after_dataset_saved(name, FIRST)
    steps.before_node_run(CHECK)
    lines = [record.message for record in caplog.records]
    assert lines[0] == "step 1 of 2: first"
    assert lines[1].startswith("first: saved a, b (0.")
    assert lines[2:] == ["step 2 of 2: check"]


@pytest.mark.parametrize(
    ("saved", "failed", "advises"),
    [([], FIRST, False), ([FIRST], SECOND, True), ([FIRST], CHECK, False)],
)
def test_kedro_gives_advice_on_resuming_only_if_a_result_is_saved_and_one_is_missing(
    steps: LogSteps, saved: list, failed, advises: bool
) -> None:
    for earlier in saved:
        steps.before_node_run(earlier)
        steps.after_dataset_saved("a", earlier)
    steps.on_node_error(failed)
    runner = logging.getLogger("kedro.runner.sequential_runner")
    assert runner.isEnabledFor(logging.WARNING) == advises
    steps.before_pipeline_run(pipeline([FIRST, CHECK]))
    assert runner.isEnabledFor(logging.WARNING)


def test_the_end_of_a_run_says_score_and_time(
    steps: LogSteps, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = {"test": {"n": 3, "model": {"psnr": {"mean": 18.64, "low": 17.0, "high": 20.0}}}}
    catalog = DataCatalog({"metrics": MemoryDataset(metrics)})
    made = pipeline([node(lambda: None, None, "metrics", name="score")])
    steps.after_pipeline_run(made, catalog)
    score, time = [record.message for record in caplog.records]
    assert score == "On 3 test samples the model reaches PSNR 18.64 dB."
    assert time.startswith("Finished 2 step(s) in 0.")


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The record of a run as Kedro-Viz writes it, and a folder of 30 bytes."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "shards"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(bytes(10))
    record = tmp_path / CorrectVizRecord.RECORD
    record.parent.mkdir()
    events = [
        {"event": "after_node_run", "node": "first", "duration": 0.25},
        {"event": "after_dataset_saved", "dataset": "shards", "size": 0},
    ]
    record.write_text(json.dumps(events), encoding="utf-8")
    return record


@pytest.mark.parametrize("is_of_this_run", [True, False])
def test_the_record_of_this_run_gets_true_durations_and_sizes(
    record: Path, monkeypatch: pytest.MonkeyPatch, is_of_this_run: bool
) -> None:
    clock = iter([100.0, 130.0, 340.0])
    monkeypatch.setattr("albedo_pipeline.hooks.time.monotonic", lambda: next(clock))
    hook = CorrectVizRecord()
    hook.before_pipeline_run()
    hook.before_node_run(FIRST)
    for _ in range(2):
        hook.after_dataset_saved(FIRST)
    later = hook._start + (1 if is_of_this_run else -1)
    os.utime(record, (later, later))
    catalog = DataCatalog(
        {"shards": TensorBoardDataset(filepath=str(record.parents[1] / "shards"))}
    )
    hook.after_pipeline_run(catalog)
    run, saved = json.loads(record.read_text(encoding="utf-8"))
    assert (run["duration"], saved["size"]) == ((240.0, 30) if is_of_this_run else (0.25, 0))
