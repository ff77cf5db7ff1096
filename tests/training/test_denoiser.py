"""The training of the denoiser: it is repeatable, it learns, and it ends when it should."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import read_json
from albedo_pipeline.errors import ProjectError
from tests.support.golden_loss import GOLDEN_SETTINGS, curve, curve_of_another_process
from tests.support.training import decaying_at

GOLDEN = Path(__file__).parent / "golden_loss.json"


def test_the_same_settings_give_the_same_weights_bit_for_bit(train) -> None:
    one, two = (train(name).denoiser.unet.state_dict() for name in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_another_seed_gives_other_weights(train) -> None:
    one, two = (train(str(seed), seed=seed).denoiser.unet.state_dict() for seed in (5, 6))
    assert any(not torch.equal(one[name], two[name]) for name in one)


def test_the_loss_curve_is_the_golden_one(train) -> None:
    """A refactor does not change it. Any other change explains the new numbers."""
    golden = json.loads(GOLDEN.read_text())
    for name, values in curve(train("golden", **GOLDEN_SETTINGS).log).items():
        # Matrix products round differently on other machines.
        assert values == pytest.approx(golden[name], rel=1e-3), name


@pytest.mark.slow
def test_the_loss_curve_is_the_same_in_another_process_bit_for_bit(train) -> None:
    """So on one machine a refactor can be checked exactly; see `tests.support.golden_loss`."""
    assert curve(train("golden", **GOLDEN_SETTINGS).log) == curve_of_another_process()


@pytest.mark.parametrize(
    ("kind", "prediction_type"),
    [
        ("mse", "v_prediction"),
        pytest.param("mse", "epsilon", marks=pytest.mark.slow),
        pytest.param("mse", "sample", marks=pytest.mark.slow),
        pytest.param("l1", "v_prediction", marks=pytest.mark.slow),
        pytest.param("huber", "v_prediction", marks=pytest.mark.slow),
    ],
)
def test_it_learns(train, kind: str, prediction_type: str) -> None:
    log = train(
        f"{kind}-{prediction_type}",
        max_steps=100,
        learning_rate={"peak": 3e-3, "warmup_steps": 5},
        loss={"kind": kind},
        noise_schedule={"prediction_type": prediction_type},
    ).log
    assert log["loss"].tail(10).mean() < 0.87 * log["loss"].head(5).mean()


def test_a_training_ends_after_max_epochs_or_max_steps(train) -> None:
    """With ten usable samples and four in a step, the second epoch ends within the fifth step."""
    assert train("run", max_steps=None, max_epochs=2).log["step"].max() == 5
    assert train("both", max_steps=3, max_epochs=2).log["step"].max() == 3


def test_an_unknown_latent_set_is_named(train) -> None:
    with pytest.raises(ProjectError, match=r"train\.mixture: no latent set 'indoor'; known sets"):
        train("run", mixture={"latents": 1, "indoor": 1})


def test_fp16_needs_a_gpu(train) -> None:
    with pytest.raises(ProjectError, match=r"train\.precision: fp16 needs a GPU"):
        train("run", precision="fp16")


def test_an_empty_validation_split_is_named(train) -> None:
    with pytest.raises(ProjectError, match=r"train\.validation\.split: no sample is in 'test'"):
        train("run", validation={"every": 1, "split": "test"})


def test_the_best_checkpoint_is_kept_and_can_be_the_result(train) -> None:
    settings = {
        "max_steps": 8,
        "checkpoints": {"every": 4, "keep_last": 1, "keep_best": 1},
        "validation": {"every": 1, "samples": 3, "steps": 1},
        "learning_rate": {"peak": 1e-2, "warmup_steps": 0, "decay": "constant"},
        "output": "best",
    }
    done = train("run", **settings)
    psnr = done.log.set_index("step")["validation_psnr"].dropna()
    best = int(psnr.idxmax())
    assert done.store.steps() == sorted({best, 8})
    weights = load_file(done.store.path(best) / "ema.safetensors")
    for name, weight in done.denoiser.unet.named_parameters():
        assert torch.equal(weight, weights[name])


def test_a_damaged_best_checkpoint_is_named(train, monkeypatch: pytest.MonkeyPatch) -> None:
    from albedo_pipeline.training import validation

    falling = iter(range(100, 0, -1))
    monkeypatch.setattr(
        validation, "validate", lambda *_: {"psnr": float(next(falling)), "ssim": 0.5}
    )
    settings = {
        "checkpoints": {"every": 1, "keep_last": 9},
        "validation": {"every": 1, "samples": 1, "steps": 1},
        "output": "best",
        "learning_rate": {"peak": 1e-9, "warmup_steps": 0, "decay": "constant"},
    }
    store = train("run", **settings).store
    best = read_json(store.path(3), "state.json")["training"]["best"][0][0]
    assert best == 1
    (store.path(best) / "ema.safetensors").write_bytes(b"")
    with pytest.raises(ProjectError, match=r"best checkpoint is damaged \(ema.safetensors"):
        train("run", **settings)


def test_another_validation_metric_discards_the_best_checkpoints(
    train, caplog: pytest.LogCaptureFixture
) -> None:
    validation = {"every": 2, "samples": 2, "steps": 1}
    settings = {"learning_rate": decaying_at(6), "output": "best"}
    train("run", max_steps=2, validation=validation, **settings)
    done = train("run", max_steps=6, validation=validation | {"metric": "ssim"}, **settings)
    state = read_json(done.store.path(6), "state.json")["training"]
    assert all(value <= 1 for _, value in state["best"])
    assert any("earlier best checkpoints do not count" in r.message for r in caplog.records)
