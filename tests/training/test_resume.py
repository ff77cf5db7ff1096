"""Resumed trainings: bit-identical, from undamaged checkpoints, with the same settings only."""

import json
import shlex
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.lora import has_lora
from albedo_pipeline.training import resume
from tests.support.training import FILES, LONG, decaying_at, same, save_latents


def test_a_damaged_checkpoint_costs_only_its_steps(train, tmp_path: Path) -> None:
    whole = train("whole", **LONG)
    train("cut", **LONG | {"max_steps": 6, "learning_rate": decaying_at(10)})
    for spoilt in (*(f"{name}.safetensors" for name in FILES), "state.json"):
        folder = shutil.copytree(tmp_path / "cut", tmp_path / spoilt)
        (folder / "step-00000006" / spoilt).write_bytes(b"not what was written")
        cut = train(spoilt, **LONG)
        assert (folder / "step-00000006.damaged").is_dir(), spoilt
        assert same(whole.store.path(10), cut.store.path(10)), spoilt


def test_if_all_checkpoints_are_damaged_the_next_run_starts_again(train) -> None:
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


def test_other_code_starts_again_only_on_request(train, monkeypatch: pytest.MonkeyPatch) -> None:
    store = train("run").store
    monkeypatch.setattr(resume, "training_code", lambda _: "other")
    train("run")
    assert not list(store.folder.parent.glob("run-*"))
    train("run", on_code_change="restart")
    assert len(list(store.folder.parent.glob("run-*"))) == 1
    train("run", on_code_change="restart")  # now the code is the checkpoint's
    assert len(list(store.folder.parent.glob("run-*"))) == 1


def test_different_settings_that_change_the_result_are_named(train, tmp_path: Path) -> None:
    train("run")
    with pytest.raises(ProjectError) as error:
        train("run", learning_rate={"peak": 2e-3, "warmup_steps": 1}, seed=6)
    message = str(error.value)
    assert "train.learning_rate.peak: 0.001 there, 0.002 here" in message
    assert "train.seed: 5 there, 6 here" in message
    assert "train.on_mismatch=restart" in message
    train("run", seed=6, on_mismatch="restart")
    (kept,) = tmp_path.glob("run-*")
    assert (kept / "step-00000003").is_dir()


def test_other_latents_are_a_mismatch(train, tmp_path: Path) -> None:
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


def test_a_run_writes_a_record_of_itself(train) -> None:
    folder = train("run").store.folder
    (record,) = (json.loads(p.read_text()) for p in (folder / "runs").glob("*.json"))
    assert record["configuration"]["max_steps"] == 3
    assert record["packages"]["torch"].startswith(torch.__version__.split("+")[0])
    assert set(record["git"]) == {"commit", "changed", "untracked"}
    assert record["command"] == shlex.join(sys.orig_argv)
    assert {"host", "slurm_job_id", "data", "processes"} <= set(record)
    settings = read_json(folder / "step-00000003", "config.json")["settings"]
    assert settings == record["configuration"]


def test_the_log_file_and_the_records_cover_all_runs(
    train, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="albedo_pipeline")
    train("run", max_steps=2, learning_rate=decaying_at(3))
    folder = train("run", learning_rate=decaying_at(3)).store.folder
    lines = (folder / "log.txt").read_text(encoding="utf-8").splitlines()
    ends = [line for line in lines if "in all runs" in line]
    assert ["step 2 after" in ends[0], "step 3 after" in ends[1], len(ends)] == [True, True, 2]
    resumed = [i for i, line in enumerate(lines) if "INFO train: resuming from" in line]
    assert [lines.index(ends[0]) < i < lines.index(ends[1]) for i in resumed] == [True]
    records = [json.loads(path.read_text()) for path in (folder / "runs").glob("*.json")]
    assert all(record["seconds"] > 0 for record in records)


def test_a_training_of_adapters_resumes_bit_for_bit_and_stores_only_them(train) -> None:
    settings = LONG | {"lora": {"rank": 2}}
    whole = train("whole", **settings)
    train("cut", **settings | {"max_steps": 5, "learning_rate": decaying_at(10)})
    cut = train("cut", **settings)
    assert same(whole.store.path(10), cut.store.path(10))
    stored = load_file(cut.store.path(10) / "weights.safetensors")
    assert all("lora_" in name or name.startswith("conv_in.") for name in stored)
    assert has_lora(cut.denoiser.unet)


def test_a_training_with_unusual_settings_resumes_bit_for_bit(train) -> None:
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


def test_a_training_with_momentum_resumes_bit_for_bit(train) -> None:
    optimiser = {
        "name": "sgd",
        "options": {"momentum": 0.9},
        "groups": [{"pattern": "bias$", "weight_decay": 0.1}],
    }
    settings = LONG | {"optimiser": optimiser}
    whole = train("whole", **settings)
    train("cut", **settings | {"max_steps": 5, "learning_rate": decaying_at(10)})
    assert same(whole.store.path(10), train("cut", **settings).store.path(10))


def test_new_settings_of_the_optimiser_leave_those_of_stored_checkpoints(train_params) -> None:
    groups = [{"pattern": "conv_in", "ratio": 3.0}]
    stored = train_params(optimiser={"groups": groups}).result_settings(9)
    assert {key: value for key, value in stored.items() if key.startswith("optimiser.")} == {
        "optimiser.name": "adamw",
        "optimiser.betas": [0.9, 0.999],
        "optimiser.weight_decay": 0.0,
        "optimiser.groups": groups,
    }


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
