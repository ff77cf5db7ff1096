"""The step on fake tensors takes the memory that the same step takes on real ones."""

import gc

import pytest
import torch

from albedo_pipeline.models.autoencoder import new_autoencoder
from albedo_pipeline.models.denoiser import new_unet
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.autoencoder import AutoencoderTraining
from albedo_pipeline.runtime.distributed import accelerated
from albedo_pipeline.runtime.live_tensors import LiveTensors
from albedo_pipeline.training.optimiser_step import accumulate, update
from albedo_pipeline.training.plan.fake_step import (
    EmptyNetworks,
    fake_training,
    new_batch,
    new_components,
)
from albedo_pipeline.training.plan.networks import Networks
from tests.support.training import END_TO_END, SETTINGS


def networks_of(params: TrainParams) -> Networks:
    with torch.device("meta"):
        autoencoder = new_autoencoder(AutoencoderTraining(block_out_channels=(8, 16), max_steps=1))
        unet = new_unet(params.scratch, 4)
    return Networks(unet=dict(unet.config), autoencoder=dict(autoencoder.config), size=(8, 8))


def measured(networks: Networks, params: TrainParams, size: int, count: int) -> tuple[int, int]:
    """Bytes between two real steps, and at most during the second one, with Accelerate."""
    with LiveTensors() as live, accelerated("cpu", params.precision, False) as accelerator:
        components = new_components(EmptyNetworks.of(networks, params), params, accelerator)

        def step() -> None:
            batches = (new_batch(networks, params, size) for _ in range(count))
            update(components, accumulate(components, batches, count, 0), 1e-3, 0, params)

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
        {"precision": "bf16"},
        {"execution": {"gradient_checkpointing": True}},
        {"lora": {"rank": 4}},
        END_TO_END | {"train_decoder": {"ratio": 0.5}},
    ],
    ids=["diffusion", "bf16", "checkpointing", "lora", "end to end"],
)
def test_memory_is_that_of_the_real_step(changes: dict) -> None:
    params = TrainParams.model_validate(SETTINGS | changes)
    networks = networks_of(params)
    state = torch.get_rng_state()
    with fake_training(networks, params, "cpu") as training:
        planned = training.standing, training.peak(4, accumulates=False)
        second = training.peak(2, accumulates=True)
    assert torch.equal(torch.get_rng_state(), state)  # a plan changes no random draw
    assert planned == pytest.approx(measured(networks, params, 4, 1), rel=0.01)
    assert second == pytest.approx(measured(networks, params, 2, 2)[1], rel=0.01)


@pytest.mark.slow
def test_checkpointing_computes_at_most_the_forward_pass_again() -> None:
    """The forward pass is a third of all operations."""
    params = TrainParams.model_validate(SETTINGS)
    with fake_training(networks_of(params), params, "cpu") as training:
        plain = training.flops
        assert training.parameters == training.trained
    execution = {"gradient_checkpointing": True}
    with fake_training(
        networks_of(params), TrainParams.model_validate(SETTINGS | {"execution": execution}), "cpu"
    ) as training:
        checkpointed = training.flops
    assert plain < checkpointed < 4 / 3 * plain


def test_a_checkpoint_has_four_numbers_for_each_trained_parameter() -> None:
    params = TrainParams.model_validate(SETTINGS)
    with fake_training(networks_of(params), params, "cpu") as training:
        tensors = len(training.components.trained)
        # weight, its average and Adam's two moments, and one count of steps for each tensor
        assert training.checkpoint_bytes == 16 * training.trained + 4 * tensors


@pytest.mark.slow
def test_on_a_gpu_normalisation_is_in_float32_under_mixed_precision() -> None:
    params = TrainParams.model_validate(SETTINGS | {"precision": "bf16"})
    peaks = {}
    for device in ("cpu", "cuda"):
        with fake_training(networks_of(params), params, device) as training:
            peaks[device] = training.peak(4, accumulates=False)
    assert peaks["cuda"] > peaks["cpu"]
