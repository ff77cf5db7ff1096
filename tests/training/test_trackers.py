"""TensorBoard shows a run's record and scalars; Weights & Biases needs its package."""

import json

import pytest

from albedo_pipeline.errors import ProjectError


def test_tensorboard_shows_the_record_and_groups_of_scalars(train) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trained = train("run", validation={"every": 3})
    (run,) = (trained.store.folder.parent / "events").iterdir()
    events = EventAccumulator(str(run)).Reload()
    assert {tag.partition("/")[0] for tag in events.Tags()["scalars"]} == {
        "train",
        "usage",
        "validation",
    }
    (text,) = events.Tensors("train/record/text_summary")
    shown = text.tensor_proto.string_val[0].decode().removeprefix("```\n").removesuffix("\n```")
    record = json.loads(shown)
    assert record["configuration"]["max_steps"] == 3
    assert "packages" not in record


def test_a_missing_weights_and_biases_package_is_named(
    train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(ProjectError, match="pip install wandb"):
        train("run", weights_and_biases="albedo")
