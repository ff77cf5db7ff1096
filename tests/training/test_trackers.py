"""TensorBoard shows a run's record, scalars and settings; Weights & Biases gets the same."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from albedo_pipeline.artifacts.checkpoints import read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.optimisation import WeightsAndBiases
from albedo_pipeline.runtime.distributed import accelerated
from albedo_pipeline.training.trackers import start_trackers, track_image
from tests.support.training import decaying_at


def events_of(trained) -> EventAccumulator:
    """All events of the only run."""
    (run,) = (trained.store.folder.parent / "events").iterdir()
    return EventAccumulator(str(run)).Reload()


def test_tensorboard_shows_the_record_and_groups_of_scalars(train) -> None:
    trained = train("run", run_name="small-lr", validation={"every": 3})
    events = events_of(trained)
    assert {name.partition("/")[0] for name in events.Tags()["scalars"]} == {
        "loss",
        "optimiser",
        "parts_of_loss",
        "usage",
        "validation",
    }
    (text,) = events.Tensors("run/record/text_summary")
    shown = text.tensor_proto.string_val[0].decode().removeprefix("```\n").removesuffix("\n```")
    record = json.loads(shown)
    assert record["configuration"]["max_steps"] == 3
    assert "packages" not in record


def test_tensorboard_shows_settings_beside_the_final_score(train) -> None:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    trained = train("run", validation={"every": 3})
    events = events_of(trained)
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    settings = HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["learning_rate.peak"].number_value == 1e-3
    assert settings["optimiser.betas"].string_value == "[0.9, 0.999]"
    content = events.SummaryMetadata("_hparams_/experiment").plugin_data.content
    experiment = HParamsPluginData.FromString(content).experiment
    shown = [metric.name.tag for metric in experiment.metric_infos]
    assert shown == ["validation/psnr", "loss/total"]
    assert {info.name for info in experiment.hparam_infos} == set(settings)
    assert {info.name for info in experiment.hparam_infos if info.differs} == {
        "effective_batch_size",
        "learning_rate.peak",
        "max_steps",
        "objective",
        "optimiser.name",
    }
    score = events.Scalars("validation/psnr")[-1]
    assert score.step == 3
    assert score.value == pytest.approx(trained.log["validation_psnr"].iloc[-1])


@pytest.mark.parametrize(("name", "begin"), [("small-lr", "small-lr-"), (None, "diffusion-")])
def test_the_run_has_one_name_everywhere(train, name: str | None, begin: str) -> None:
    """In TensorBoard, record, checkpoint and log file; a resumed run keeps it."""
    first = train("run", max_steps=2, run_name=name, learning_rate=decaying_at(3))
    folder = first.store.folder
    train("run", run_name="another", learning_rate=decaying_at(3))
    (run,) = (folder.parent / "events").iterdir()
    assert re.fullmatch(rf"{begin}\d{{8}}-\d{{6}}", run.name)
    records = [json.loads(path.read_text()) for path in (folder / "runs").glob("*.json")]
    assert {record["run"] for record in records} == {run.name}
    assert read_json(folder / "step-00000003", "state.json")["training"]["run"] == run.name
    assert (folder / "log.txt").read_text().count(f"train: run {run.name}\n") == 2


@pytest.mark.parametrize("name", ["a/b", "..", "", "a b"])
def test_a_run_name_is_one_word_that_a_folder_can_have(train_params, name: str) -> None:
    with pytest.raises(ValueError, match=r"^run_name: String should match pattern"):
        train_params(run_name=name)


def test_weights_and_biases_gets_project_entity_name_settings_and_scalars(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real client, offline: it writes to a file what it would send."""
    pytest.importorskip("wandb")
    variables = {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path), "WANDB_SILENT": "true"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    target = WeightsAndBiases(project="albedo", entity="team")
    with accelerated("cpu", "fp32", deterministic=False) as accelerator:
        start_trackers(accelerator, tmp_path / "events", "small-lr-1", 0, target, {"seed": 5})
        run = accelerator.get_tracker("wandb", unwrap=True)
        accelerator.log({"loss/total": 0.5}, step=1)
        track_image(accelerator, "validation/samples", np.zeros((2, 2, 3), np.uint8), 1)
        assert (run.project, run.entity, run.id, run.name) == (
            "albedo",
            "team",
            "small-lr-1",
            "small-lr-1",
        )
        assert run.config.as_dict() == {"seed": 5}
        for tracker in accelerator.trackers:
            tracker.finish()
    (sent,) = tmp_path.glob("wandb/offline-run-*-small-lr-1/*.wandb")
    assert b"loss/total" in sent.read_bytes()


def test_a_missing_weights_and_biases_package_is_named(
    train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(ProjectError, match="pip install wandb"):
        train("run", weights_and_biases={"project": "albedo"})
