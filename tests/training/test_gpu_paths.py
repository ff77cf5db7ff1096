"""Paths of the training step that only a GPU takes, run on the CPU: loss scaling, compilation."""

from collections.abc import Callable
from functools import partialmethod

import pytest
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.params import TrainParams
from albedo_pipeline.runtime.distributed import accelerated
from albedo_pipeline.training.batches import Batch
from albedo_pipeline.training.denoiser import initial_denoiser
from albedo_pipeline.training.denoiser_components import TrainingComponents, prepare
from albedo_pipeline.training.optimiser_step import accumulate, update

SCALE = 2.0**12


def batch(seed: int, *, infinite: bool = False) -> Batch:
    random = torch.Generator().manual_seed(seed)

    def draw() -> torch.Tensor:
        return torch.randn(2, 4, 8, 8, generator=random)

    albedo = draw()
    if infinite:
        albedo[0, 0, 0, 0] = torch.inf
    timesteps = torch.randint(0, 1000, (2,), generator=random)
    return Batch(draw(), albedo, torch.ones(2, 1, 8, 8, dtype=torch.uint8), draw(), timesteps)


def trained(
    params: TrainParams, autoencoder: AutoencoderKL, use: Callable[[TrainingComponents], None]
) -> None:
    """Call `use` with the parts of a training that scales its loss as fp16 does on a GPU."""
    with accelerated("cpu", "fp32", deterministic=False) as accelerator:
        accelerator.scaler = torch.amp.GradScaler("cpu", SCALE)
        components = prepare(accelerator, initial_denoiser(params, 4), autoencoder, params)
        # Only now, so that the forward pass stays in float32, and Accelerate takes the scale out.
        accelerator.native_amp = True
        accelerator.state.__dict__["_mixed_precision"] = "fp16"
        use(components)


def step(components: TrainingComponents, params: TrainParams, number: int, spoilt: bool) -> float:
    """Do an optimiser step of two micro-batches; 1 if it was skipped."""
    batches = [batch(2 * number, infinite=spoilt), batch(2 * number + 1)]
    totals = accumulate(components, batches, 2, number)
    return float(update(components, totals, 1e-3, number, params)[-1])


def test_a_step_that_is_not_finite_is_skipped_halves_the_scale_and_does_not_count(
    train_params, images
) -> None:
    params = train_params(effective_batch_size=4, micro_batch_size=2)

    def use(components: TrainingComponents) -> None:
        scaler, optimiser = components.accelerator.scaler, components.optimiser.optimizer
        assert step(components, params, 0, spoilt=False) == 0
        before = [weight.clone() for weight in components.trained.values()]
        assert step(components, params, 1, spoilt=True) == 1
        after = list(components.trained.values())
        assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
        assert scaler.get_scale() == SCALE / 2
        assert step(components, params, 2, spoilt=False) == 0
        assert not all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
        counts = {float(state["step"]) for state in optimiser.state.values()}
        assert counts == {2.0}

    trained(params, images.autoencoder, use)


def test_the_scaled_step_is_the_plain_one(train_params, images) -> None:
    params = train_params(effective_batch_size=4, micro_batch_size=2)
    weights: dict[str, torch.Tensor] = {}

    def keep(name: str, components: TrainingComponents) -> None:
        for number in range(2):
            step(components, params, number, spoilt=False)
        weights[name] = torch.cat([w.detach().flatten() for w in components.trained.values()])

    trained(params, images.autoencoder, lambda components: keep("scaled", components))
    with accelerated("cpu", "fp32", deterministic=False) as accelerator:
        keep("plain", prepare(accelerator, initial_denoiser(params, 4), images.autoencoder, params))
    difference = weights["scaled"] - weights["plain"]
    assert difference.norm() / weights["plain"].norm() < 1e-4


@pytest.mark.slow
def test_the_compiled_unet_gives_the_same_loss_in_one_graph(
    train_params, images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the backend `aot_eager`, which needs no compiler; a break in the graph is an error."""
    compile_whole = partialmethod(torch.nn.Module.compile, backend="aot_eager", fullgraph=True)
    monkeypatch.setattr(torch.nn.Module, "compile", compile_whole)
    losses = []
    for compiled in (False, True):
        params = train_params(precision="fp32", execution={"compile": compiled})
        with accelerated("cpu", "fp32", deterministic=False) as accelerator:
            start = initial_denoiser(params, 4)
            components = prepare(accelerator, start, images.autoencoder, params)
            totals = accumulate(components, [batch(0)], 1, 0)
            losses.append(float(totals[0] / totals[1]))
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
