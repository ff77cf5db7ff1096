"""Training, encoding and prediction on a GPU of fake tensors: nothing is left on the CPU."""

from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.autoencoder import new_autoencoder
from albedo_pipeline.models.denoiser import Denoiser, new_scheduler, new_unet
from albedo_pipeline.models.lora import add_lora
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.autoencoder import AutoencoderTraining
from albedo_pipeline.params.sampling import Sampling
from albedo_pipeline.preprocessing.latent_rows import both_versions
from albedo_pipeline.training.denoiser_components import prepare
from albedo_pipeline.training.optimisation import optimiser_tensors, restore_optimiser
from albedo_pipeline.training.optimiser_step import accumulate, update
from albedo_pipeline.training.plan.fake_step import new_batch
from albedo_pipeline.training.plan.networks import Networks
from tests.support.fake_gpu import GPU, GpuAccelerator, fake_gpu, in_own_process
from tests.support.training import END_TO_END, SETTINGS

STEPS = {
    "channels last": {"execution": {"channels_last": True}},
    "gradient checkpointing": {"execution": {"gradient_checkpointing": True}},
    "lora": {"lora": {"rank": 2}},
    "huber, frozen group": {
        "optimiser": {"name": "adam", "groups": [{"pattern": "^down_blocks", "ratio": 0}]},
        "loss": {"kind": "huber", "min_snr_gamma": 5.0},
    },
    "power ema": {"ema": {"profile": "power"}},
    "end to end, decoder": END_TO_END | {"train_decoder": {"ratio": 0.5}},
}


def small_autoencoder() -> AutoencoderKL:
    return new_autoencoder(AutoencoderTraining(block_out_channels=(8, 16), max_steps=1))


def denoiser_of(params: TrainParams) -> Denoiser:
    unet = new_unet(params.scratch, 4)
    if params.lora:
        unet = add_lora(unet.requires_grad_(False), params.lora)
    one_step = params.objective == "end_to_end"
    scheduler = new_scheduler(params.noise_schedule, one_step=one_step)
    return Denoiser(unet, scheduler, torch.randn(1, 2, 8))


def train(changes: dict) -> Any:
    """Two optimiser steps, a checkpoint there and back, and another step."""
    params = TrainParams.model_validate(SETTINGS | {"micro_batch_size": 2} | changes)
    with fake_gpu() as waits:
        denoiser, autoencoder = denoiser_of(params), small_autoencoder()
        networks = Networks(unet=denoiser.unet.config, autoencoder=autoencoder.config, size=(8, 8))
        parts = prepare(GpuAccelerator("fp32"), denoiser, autoencoder, params)

        def step(number: int) -> torch.Tensor:
            batches = [new_batch(networks, params, 2) for _ in range(2)]
            return update(parts, accumulate(parts, batches, 2, number), 1e-3, number, params)

        results = [step(0), step(1)]
        waited = waits.count
        optimiser = parts.optimiser.optimizer
        saved = optimiser_tensors(optimiser, parts.trained)
        stored = {name: tensor.detach().cpu().contiguous() for name, tensor in saved.items()}
        restore_optimiser(optimiser, parts.trained, stored)
        results.append(step(2))
        on_device = {
            "results": results,
            "weights": list(parts.trained.values()),
            "average": parts.ema.shadows,
            "optimiser": list(optimiser_tensors(optimiser, parts.trained).values()),
        }
        devices = {k: sorted({str(t.device) for t in v}) for k, v in on_device.items()}
        return {"waits": waited, "devices": devices}


def encode(precision: str) -> Any:
    with fake_gpu() as waits:
        autoencoder = small_autoencoder().to(GPU).requires_grad_(False)
        latents = both_versions(autoencoder, torch.zeros(3, 3, 16, 24), GPU, precision)
        return {"waits": waits.count, "shape": list(latents.shape), "dtype": str(latents.dtype)}


def predict(members: int, kind: str, precision: str) -> Any:
    params = TrainParams.model_validate(SETTINGS)
    sampling = Sampling(steps=2, batch_size=2, ensemble={"kind": kind, "members": members})
    with fake_gpu() as waits:
        model = AlbedoModel(denoiser_of(params), small_autoencoder())
        estimator = Estimator.owning(model, GPU, sampling, precision)
        noise = torch.zeros(2, members, *estimator.latent_shape(30, 33))
        estimate = estimator.predict(torch.zeros(2, 3, 30, 33), noise)
        return {
            "waits": waits.count,
            "devices": sorted({str(t.device) for t in estimate}),
            "shape": list(estimate.albedo.shape),
        }


def mixed() -> Any:
    """What a tensor that was left on the CPU, and a wait, look like."""
    with fake_gpu() as waits:
        on_gpu = torch.zeros(2, device=GPU)
        bool(on_gpu.sum() > 0)
        try:
            on_gpu + torch.zeros(2)
        except RuntimeError as error:
            return {"waits": waits.count, "error": str(error)}
        raise AssertionError("no error")


def results_of_plain() -> dict[str, Any]:
    """The results of one training step, of encoding and of predicting."""
    return {
        "plain": train({}),
        "encode": encode("bf16"),
        "noise": predict(4, "noise", "bf16"),
    }


def results_of_others() -> dict[str, Any]:
    """The other results."""
    return {
        "mixed": mixed(),
        "steps": {name: train(changes) for name, changes in STEPS.items()},
        "augmentation": predict(4, "augmentation", "bf16"),
    }


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """Made in one process, as torch takes seconds to import."""
    return in_own_process(__name__, "results_of_plain")


@pytest.fixture(scope="module")
def others() -> dict[str, Any]:
    return in_own_process(__name__, "results_of_others")


@pytest.mark.slow
def test_the_fake_gpu_refuses_tensors_of_the_cpu_and_counts_waits(others) -> None:
    assert "same device" in others["mixed"]["error"]
    assert others["mixed"]["waits"] == 1


ON_GPU = ["fakegpu:0"]
NO_WAIT = {
    "waits": 0,
    "devices": dict.fromkeys(("results", "weights", "average", "optimiser"), ON_GPU),
}


def test_a_training_step_is_on_the_gpu_and_waits_for_nothing(plain) -> None:
    assert plain["plain"] == NO_WAIT


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_other_steps_are_on_the_gpu_and_wait_for_nothing(others, name: str) -> None:
    assert others["steps"][name] == NO_WAIT


def test_encoding_waits_once_a_batch(plain) -> None:
    expected = {"waits": 1, "shape": [3, 2, 4, 8, 12], "dtype": "torch.float16"}
    assert plain["encode"] == expected


ONCE_A_BATCH = {"waits": 4, "devices": ON_GPU, "shape": [2, 3, 30, 33]}


def test_predicting_waits_once_a_decoded_batch(plain) -> None:
    assert plain["noise"] == ONCE_A_BATCH


@pytest.mark.slow
def test_predicting_augmentations_waits_once_a_decoded_batch(others) -> None:
    assert others["augmentation"] == ONCE_A_BATCH
