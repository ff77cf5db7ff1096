"""The autoencoder's step on fake tensors takes the memory that the same step takes on real ones."""

import gc
import json

import pytest
import torch

from albedo_pipeline.models.autoencoder import new_autoencoder
from albedo_pipeline.params import AutoencoderParams, IngestParams, PlanParams
from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.params.plan import Card
from albedo_pipeline.runtime.distributed import accelerated
from albedo_pipeline.runtime.live_tensors import LiveTensors
from albedo_pipeline.training.autoencoder_task import prepare
from albedo_pipeline.training.optimiser_step import accumulate
from albedo_pipeline.training.plan.fake_autoencoder import (
    fake_autoencoder_training,
    new_image_batch,
    step_shares,
    update_all,
)
from albedo_pipeline.training.plan.fake_training import on_cpu
from albedo_pipeline.training.plan.from_settings import autoencoder_networks_of_settings
from albedo_pipeline.training.plan.networks import AutoencoderNetworks
from albedo_pipeline.training.plan.table import plan_of_autoencoder
from tests.support.autoencoder_training import ADVERSARY, TRAINING, settings


def params_of(changes: dict) -> AutoencoderTraining:
    return AutoencoderTraining.model_validate(TRAINING | changes)


def networks_of(params: AutoencoderTraining, precision: str = "fp32") -> AutoencoderNetworks:
    with torch.device("meta"):
        config = dict(new_autoencoder(params).config)
    return AutoencoderNetworks(autoencoder=config, side=16, precision=precision)


def measured(
    networks: AutoencoderNetworks, params: AutoencoderTraining, size: int, count: int, at: int
) -> tuple[int, int]:
    """Bytes between two real steps, and at most during the second one, with Accelerate."""
    with LiveTensors() as live, accelerated("cpu", networks.precision, False) as accelerator:
        with torch.device("meta"):
            empty = networks.new_autoencoder()
        components = prepare(accelerator, on_cpu(empty), params)

        def step() -> None:
            batches = (new_image_batch(networks, params, size) for _ in range(count))
            accumulate(components, batches, count, at)
            update_all(components, params, at)

        step()
        gc.collect()
        standing = live.peak = live.now
        step()
        return standing, live.peak


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        ADVERSARY,
        {"train": "decoder", "execution": {"gradient_checkpointing": True}},
        ADVERSARY | {"train": "decoder", "stored_latents": True},
    ],
    ids=["plain", "adversary", "decoder, checkpointing", "stored latents, adversary"],
)
def test_memory_is_that_of_the_real_step(changes: dict) -> None:
    params = params_of(changes)
    networks = networks_of(params)
    state = torch.get_rng_state()
    with fake_autoencoder_training(networks, params, "cpu") as training:
        planned = training.standing, training.peak(4, accumulates=False)
        second, at = training.peak(2, accumulates=True), training.step
    assert torch.equal(torch.get_rng_state(), state)  # a plan changes no random draw
    assert planned == pytest.approx(measured(networks, params, 4, 1, at), rel=0.01)
    assert second == pytest.approx(measured(networks, params, 2, 2, at)[1], rel=0.01)


@pytest.mark.slow
def test_operations_grow_with_what_a_step_does() -> None:
    def flops(changes: dict) -> float:
        params = params_of(changes)
        with fake_autoencoder_training(networks_of(params), params, "cpu") as training:
            return training.mean_flops(100)

    stored = {"train": "decoder", "stored_latents": True}
    found = [flops(changes) for changes in (stored, {}, ADVERSARY)]
    assert found == sorted(set(found))


def test_the_mean_is_over_the_steps_with_and_without_adversary_and_penalty() -> None:
    adversary = {"start_step": 25, "gradient_penalty": {"every": 4}}
    params = params_of({"adversary": adversary})
    assert step_shares(params, 100) == {0: 0.25, 25: pytest.approx(0.1875), 26: 0.5625}
    assert step_shares(params, 20) == {0: 1.0}
    assert step_shares(params_of({"adversary": {"gradient_penalty": None}}), 100) == {0: 1.0}
    assert step_shares(params_of({}), None) == {0: 1.0}


def test_a_checkpoint_has_the_discriminators_too() -> None:
    params = params_of(ADVERSARY)
    with fake_autoencoder_training(networks_of(params), params, "cpu") as training:
        components = training.components
        others = list(components.adversary.networks.parameters())
        count = sum(p.numel() for p in others)
        tensors = len(components.trained) + len(others)
        # weight, Adam's two moments, of the autoencoder its average too; one count of steps for
        # each tensor; and the adaptive weight
        expected = 16 * training.trained + 12 * count + 4 * tensors + 4
        assert training.checkpoint_bytes == expected


@pytest.mark.slow
def test_the_plan_of_the_settings(caplog: pytest.LogCaptureFixture) -> None:
    card = Card(memory=1, bf16=100, tf32=50, fp32=25)
    assumed, ingest = PlanParams(cards={"it": card}), IngestParams(resolution=32)
    with caplog.at_level("INFO"):
        lpips = {"lpips_weights": "nowhere", "loss": {"lpips_weight": 0.5}}
        result = plan_of_autoencoder(settings(crop=16, **lpips, **ADVERSARY), ingest, assumed)
    assert result is not None
    assert json.loads(json.dumps(result)) == result
    assert result["image_shape"] == [3, 16, 16]
    assert [list(step["peak_gib"]) for step in result["steps"]] == [["1", "2", "4"]] * 2
    assert result["cards"]["it"]["micro_batch_size"] == 4
    mean = result["steps"][0]["tflop_per_sample"]
    # 4 steps of 4 images, at 40 % of 25 TFLOP/s
    assert result["cards"]["it"]["hours"] == pytest.approx(mean * 16 / 10 / 3600)
    assert "trains all, fp32, images of 3 x 16 x 16" in caplog.text
    assert result["left_out"] == ["LPIPS"]
    assert "not in these figures: LPIPS in the loss" in caplog.text
    tuned = autoencoder_networks_of_settings(settings("finetune", train="decoder"), ingest)
    assert (tuned.side, tuned.autoencoder["latent_channels"]) == (32, 4)
    assert plan_of_autoencoder(AutoencoderParams(), ingest, assumed) is None
