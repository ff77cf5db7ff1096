"""Resumed trainings: bit-identical, from whole checkpoints, of the same settings only."""

import json
import os
import shlex
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.training import resume
from albedo_pipeline.training import trainer as trainer_module
from albedo_pipeline.training.stopping import Paused
from tests.support.training import FILES, LONG, decaying_at, same


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int, act) -> None:
    """Have `act` called in the middle of a step."""
    accumulate = trainer_module.accumulate

    def interrupted(parts, batches, micro, cells, params):
        totals = accumulate(parts, batches, micro, cells, params)
        if parts.optimiser.optimizer.state and _steps_done(parts) == step:
            act()
        return totals

    monkeypatch.setattr(trainer_module, "accumulate", interrupted)


def _steps_done(parts) -> int:
    return int(next(iter(parts.optimiser.optimizer.state.values()))["step"])


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_in_a_step_pauses_and_the_next_run_continues(
    train, monkeypatch: pytest.MonkeyPatch, signal_number: int
) -> None:
    whole = train("whole", **LONG)
    before = signal.getsignal(signal_number)
    with monkeypatch.context() as patch:
        stop_at(patch, 4, lambda: os.kill(os.getpid(), signal_number))
        with pytest.raises(Paused) as paused:
            train("cut", **LONG)
    assert paused.value.code == 75
    assert signal.getsignal(signal_number) is before
    cut = train("cut", **LONG)
    assert 5 in cut.store.steps()  # the step was finished, then saved out of turn
    assert same(whole.store.path(10), cut.store.path(10))
    pd.testing.assert_series_equal(whole.log["loss"], cut.log["loss"])


def test_the_time_limit_pauses(train) -> None:
    settings = LONG | {"max_steps": 400, "checkpoints": {"every": 100}}
    with pytest.raises(Paused) as paused:
        train("cut", **settings, exit_after_minutes=1 / 60)
    assert paused.value.code == 75
    cut = train("cut", **settings)
    assert cut.store.steps()[-1] == 400
    assert same(train("whole", **settings).store.path(400), cut.store.path(400))


def test_a_time_limit_of_nothing_makes_no_step_and_no_checkpoint(train, tmp_path: Path) -> None:
    with pytest.raises(Paused):
        train("cut", **LONG, exit_after_minutes=1e-9)
    assert not list((tmp_path / "cut").glob("step-*"))


@pytest.mark.parametrize("spoilt", [*(f"{name}.safetensors" for name in FILES), "state.json"])
def test_a_damaged_checkpoint_costs_its_steps_only(train, spoilt: str) -> None:
    whole = train("whole", **LONG)
    cut = train("cut", **LONG | {"max_steps": 6, "learning_rate": decaying_at(10)})
    (cut.store.path(6) / spoilt).write_bytes(b"not what was written")
    cut = train("cut", **LONG)
    assert (cut.store.folder / "step-00000006.damaged").is_dir()
    assert same(whole.store.path(10), cut.store.path(10))


def test_where_all_are_damaged_it_says_so_and_then_begins_anew(train) -> None:
    whole = train("whole")
    for path in whole.store.folder.glob("step-*/state.json"):
        path.unlink()
    with pytest.raises(ProjectError, match="all checkpoints are damaged; run again"):
        train("whole")
    assert same(train("whole").store.path(3), train("fresh").store.path(3))


def test_a_finished_training_is_not_repeated(train) -> None:
    first, second = train("run"), train("run")
    one, two = (t.denoiser.unet.state_dict() for t in (first, second))
    assert all(torch.equal(one[name], two[name]) for name in one)
    pd.testing.assert_frame_equal(first.log, second.log)


def test_other_code_begins_anew_on_request(train, monkeypatch: pytest.MonkeyPatch) -> None:
    store = train("run").store
    monkeypatch.setattr(resume, "training_code", lambda: "other")
    train("run")
    assert not list(store.folder.parent.glob("run-*"))
    train("run", on_code_change="restart")
    assert len(list(store.folder.parent.glob("run-*"))) == 1
    train("run", on_code_change="restart")  # its own code by now
    assert len(list(store.folder.parent.glob("run-*"))) == 1


def test_settings_that_change_the_result_are_named(train) -> None:
    train("run")
    with pytest.raises(ProjectError) as error:
        train("run", learning_rate={"peak": 2e-3, "warmup_steps": 1}, seed=6)
    message = str(error.value)
    assert "train.learning_rate.peak: 0.001 there, 0.002 here" in message
    assert "train.seed: 5 there, 6 here" in message
    assert "train.on_mismatch=restart" in message
    train("run", seed=6, on_mismatch="restart")
    (aside,) = Path(f"{error.value}".split("/step-")[0]).parent.glob("run-*")
    assert (aside / "step-00000003").is_dir()


def test_other_latents_are_a_mismatch(train, tmp_path: Path) -> None:
    from tests.support.training import save_latents

    train("run")
    with pytest.raises(ProjectError, match=r"train\.data\.latents: '\w+' there, '\w+' here"):
        train("run", sets={"latents": save_latents(tmp_path / "other", 13)})


def test_settings_that_do_not_change_the_result_may_differ(train) -> None:
    train("run", max_steps=2, learning_rate=decaying_at(4))
    longer = train(
        "run",
        max_steps=4,
        learning_rate=decaying_at(4),
        micro_batch_size=2,
        log_every=2,
        checkpoints={"every": 1},
        execution={"gradient_checkpointing": True},
    )
    assert longer.store.steps()[-1] == 4


def test_a_longer_decay_is_a_mismatch(train) -> None:
    train("run")
    with pytest.raises(ProjectError, match=r"learning_rate\.decay_steps: 3 there, 4 here"):
        train("run", max_steps=4)


def test_every_multiple_is_kept(train) -> None:
    periods = {"every": 2, "keep_last": 1, "keep_every": 3}
    assert train("run", **LONG | {"checkpoints": periods}).store.steps() == [3, 6, 9, 10]


def test_the_record_of_a_run(train) -> None:
    folder = train("run").store.folder
    (record,) = (json.loads(p.read_text()) for p in (folder / "runs").glob("*.json"))
    assert record["configuration"]["max_steps"] == 3
    assert record["packages"]["torch"].startswith(torch.__version__.split("+")[0])
    assert set(record["git"]) == {"commit", "changed", "untracked"}
    assert record["command"] == shlex.join(sys.orig_argv)
    assert {"host", "slurm_job_id", "data", "processes"} <= set(record)
    settings = read_json(folder / "step-00000003", "config.json")["settings"]
    assert settings == record["configuration"]


def test_tensorboard_shows_the_record_and_its_groups(train) -> None:
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


def test_adapters_resume_bit_for_bit_and_leave_the_rest_alone(train) -> None:
    from albedo_pipeline.models.lora import has_lora

    settings = LONG | {"lora": {"rank": 2}}
    whole = train("whole", **settings)
    train("cut", **settings | {"max_steps": 5, "learning_rate": decaying_at(10)})
    cut = train("cut", **settings)
    assert same(whole.store.path(10), cut.store.path(10))
    stored = load_file(cut.store.path(10) / "weights.safetensors")
    assert all("lora_" in name or name.startswith("conv_in.") for name in stored)
    assert has_lora(cut.denoiser.unet)


def test_resume_in_bf16_with_power_average_and_groups(train) -> None:
    settings = LONG | {
        "precision": "bf16",
        "ema": {"profile": "power", "relative_width": 0.15},
        "optimiser": {"name": "adam", "groups": [{"pattern": "conv_in", "ratio": 3}]},
        "loss": {"kind": "huber", "min_snr_gamma": 5.0},
        "noise": {"kind": "multi_resolution", "strategy": "random_step"},
        "execution": {"channels_last": True},
        "log_gradients_every": 2,
    }
    whole = train("whole", **settings)
    train("cut", **settings | {"max_steps": 5, "learning_rate": decaying_at(10)})
    assert same(whole.store.path(10), train("cut", **settings).store.path(10))


def test_fp16_needs_a_gpu(train) -> None:
    with pytest.raises(ProjectError, match=r"train\.precision: fp16 needs a GPU"):
        train("run", precision="fp16")


def test_weights_and_biases_is_named_where_it_is_missing(
    train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(ProjectError, match="pip install wandb"):
        train("run", weights_and_biases="albedo")


def test_other_frozen_weights_are_a_mismatch(train, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"lora": {"rank": 2}}
    train("run", **settings)
    monkeypatch.setattr(resume, "frozen_digest", lambda *_: "other")
    monkeypatch.setattr("albedo_pipeline.training.denoiser.frozen_digest", lambda *_: "other")
    with pytest.raises(ProjectError, match=r"train\.frozen_weights: '\w+' there, 'other' here"):
        train("run", **settings)


def test_the_order_of_a_mixture_does_not_matter(latents, train_params) -> None:
    one, two = (
        train_params(mixture=dict(items)).result_settings(9)
        for items in ([("a", 1.0), ("b", 3.0)], [("b", 3.0), ("a", 1.0)])
    )
    assert one == two
    assert list(train_params(mixture={"b": 3, "a": 1}).shares()) == ["a", "b"]


def test_deterministic_algorithms_are_asked_for(train, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    accumulate = trainer_module.accumulate

    def looking(*arguments):
        seen.append(torch.are_deterministic_algorithms_enabled())
        return accumulate(*arguments)

    monkeypatch.setattr(trainer_module, "accumulate", looking)
    train("run", execution={"deterministic": True})
    assert seen == [True] * 3
    assert not torch.are_deterministic_algorithms_enabled()
