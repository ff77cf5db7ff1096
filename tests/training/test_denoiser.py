"""The training of the denoiser: what may not change it, and that it learns."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.optimisation import Loss
from albedo_pipeline.training.batches import Stream, usable
from albedo_pipeline.training.denoiser import initial_denoiser
from albedo_pipeline.training.optimiser_step import loss_by_quarter, loss_sums
from tests.support.training import save_latents

GOLDEN = Path(__file__).parent / "golden_loss.json"


def losses(denoiser, batch, params: Loss = Loss()) -> torch.Tensor:  # noqa: B008 (frozen)
    return loss_sums(
        denoiser.unet,
        batch,
        denoiser.alphas_cumprod(),
        denoiser.text_embedding,
        "v_prediction",
        params,
    )


def first_batch(latents, params):
    return Stream([usable(latents, "train")], params).batch(0, range(4))


def test_the_same_settings_give_the_same_weights_bit_for_bit(train) -> None:
    one, two = (train(name).denoiser.unet.state_dict() for name in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_another_seed_gives_other_weights(train) -> None:
    one, two = (train(str(seed), seed=seed).denoiser.unet.state_dict() for seed in (5, 6))
    assert any(not torch.equal(one[name], two[name]) for name in one)


def test_masked_cells_do_not_reach_the_loss(latents, train_params) -> None:
    params = train_params()
    denoiser, whole = initial_denoiser(params, 4), first_batch(latents, params)
    # At t = T - 1 the input holds no trace of the albedo, so only the target could carry it.
    last = torch.full_like(whole.timesteps, 999)
    spoilt = torch.where(whole.valid.bool(), whole.albedo, 1e3)
    clean, dirty = (
        losses(denoiser, type(whole)(whole.beauty, albedo, whole.valid, whole.noise, last))
        for albedo in (whole.albedo, spoilt)
    )
    assert torch.equal(clean, dirty)
    assert clean.isfinite().all()


def test_losses_by_quarter_add_up(latents, train_params) -> None:
    params = train_params()
    batch = first_batch(latents, params)
    sums = losses(initial_denoiser(params, 4), batch)
    by_quarter, cells = loss_by_quarter(sums, batch, 1000)
    assert by_quarter.sum().item() == pytest.approx(sums.sum().item())
    assert cells.sum() == batch.valid.sum()
    for quarter in range(4):
        here = batch.timesteps // 250 == quarter
        assert by_quarter[quarter].item() == pytest.approx(sums[here].sum().item())


def test_min_snr_weights_each_sample(latents, train_params) -> None:
    params = train_params()
    denoiser, batch = initial_denoiser(params, 4), first_batch(latents, params)
    plain, weighted = (losses(denoiser, batch, Loss(min_snr_gamma=g)) for g in (None, 5.0))
    alpha_cumprod = denoiser.alphas_cumprod()[batch.timesteps]
    snr = alpha_cumprod / (1 - alpha_cumprod)
    assert torch.allclose(weighted, plain * snr.clamp_max(5) / (snr + 1), rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "prediction_type"),
    [
        ("mse", "v_prediction"),
        ("mse", "epsilon"),
        ("mse", "sample"),
        ("l1", "v_prediction"),
        ("huber", "v_prediction"),
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


def test_the_log_has_a_row_for_every_period_and_the_rest(train, tmp_path: Path) -> None:
    log = train("run", max_steps=5, log_every=2).log
    assert log["step"].tolist() == [2, 4, 5]
    assert log["epoch"].iloc[-1] == pytest.approx(2.0)
    assert np.isfinite(log.drop(columns=[c for c in log if "of4" in c]).to_numpy()).all()
    assert {"waiting_for_data", "peak_memory_gib", "skipped_steps", "grad_norm"} <= set(log)
    assert list((tmp_path / "events").rglob("events.*"))


def test_the_loss_curve_is_the_golden_one(train) -> None:
    """A refactor leaves it alone; any other change explains its new numbers."""
    log = train(
        "golden",
        max_steps=12,
        effective_batch_size=6,
        micro_batch_size=3,
        noise={"kind": "multi_resolution"},
        learning_rate={"peak": 3e-3, "warmup_steps": 3, "decay": "cosine"},
    ).log
    golden = json.loads(GOLDEN.read_text())
    for name in ("loss", "grad_norm"):
        # Across machines matrix products round differently.
        assert log[name].tolist() == pytest.approx(golden[name], rel=1e-3), name


def test_steps_without_a_finite_gradient_are_left_out(
    images, train, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = save_latents(tmp_path / "spoilt", 12, spoilt=(5,))
    done = train("run", sets={"latents": spoilt}, max_steps=6)
    assert all(w.isfinite().all() for w in done.denoiser.unet.parameters())
    skipped = int(done.log["skipped_steps"].iloc[-1])
    assert 0 < skipped < 6
    named = [r.message for r in caplog.records if "skipped" in r.message]
    assert len(named) == skipped
    assert all("s5" in message for message in named)


def test_too_many_of_them_stop_the_run(train) -> None:
    rate = {"peak": 1e30, "warmup_steps": 0, "decay": "constant"}
    with pytest.raises(ProjectError, match=r"not finite in 3 consecutive steps"):
        train("run", max_steps=20, learning_rate=rate, max_skipped_in_a_row=3)


def test_a_mean_over_micro_batches_would_depend_on_the_split(latents, train_params) -> None:
    """The test of the split can fail: the usual mean of the micro-batches' means does."""
    params = train_params()
    denoiser, batch = initial_denoiser(params, 4), first_batch(latents, params)
    sums, cells = losses(denoiser, batch), batch.valid.sum(dim=(1, 2, 3))
    whole = sums.sum() / cells.sum()
    of_means = (sums / cells).mean()
    assert abs(of_means / whole - 1) > 0.01


def test_an_unknown_latent_set_is_named(train) -> None:
    with pytest.raises(ProjectError, match=r"train\.mixture: no latent set 'indoor'; known sets"):
        train("run", mixture={"latents": 1, "indoor": 1})


def test_an_empty_validation_split_is_named(train) -> None:
    with pytest.raises(ProjectError, match=r"train\.validation\.split: no sample is in 'test'"):
        train("run", validation={"every": 1, "split": "test"})


def test_the_end_by_epochs(train) -> None:
    """Ten usable samples, four a step: the second epoch ends within the fifth step."""
    assert train("run", max_steps=None, max_epochs=2).log["step"].max() == 5
    assert train("both", max_steps=3, max_epochs=2).log["step"].max() == 3
