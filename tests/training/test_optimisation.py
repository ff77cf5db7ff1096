"""Parameter groups, frozen parts, and steps that are left out."""

import pytest
import torch
from torch import nn

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.optimisation import Optimiser, ParameterGroup
from albedo_pipeline.training.optimisation import (
    freeze,
    largest_gradients,
    new_optimiser,
    optimiser_tensors,
    restore_optimiser,
    set_learning_rate,
    train_mode,
)


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "first": nn.Sequential(nn.Linear(2, 2), nn.Dropout()),
            "second": nn.Sequential(nn.Linear(2, 2), nn.Dropout()),
        }
    )


def groups(**ratios: float) -> tuple[ParameterGroup, ...]:
    return tuple(ParameterGroup(pattern=p, ratio=r) for p, r in ratios.items())


def test_the_first_pattern_that_fits_gives_the_ratio() -> None:
    params = Optimiser(groups=groups(first=10, bias=3))
    trained = freeze(net := model(), params.groups)
    optimiser = new_optimiser(trained, params)
    set_learning_rate(optimiser, 0.1)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    found = {name: round(rates[id(p)], 6) for name, p in net.named_parameters()}
    assert found == {
        "first.0.weight": 1.0,
        "first.0.bias": 1.0,
        "second.0.weight": 0.1,
        "second.0.bias": 0.3,
    }


def test_frozen_parts_stay_in_eval_mode() -> None:
    trained = freeze(net := model(), groups(first=0))
    train_mode(net)
    assert set(trained) == {"second.0.weight", "second.0.bias"}
    assert not any(part.training for part in net["first"].modules())
    assert all(part.training for part in net["second"].modules())


def test_a_pattern_that_fits_nothing_is_named() -> None:
    with pytest.raises(ProjectError, match="pattern 'third' matches no parameter that"):
        freeze(model(), groups(third=1))
    with pytest.raises(ProjectError, match="every parameter is frozen"):
        freeze(model(), groups(first=0, second=0))


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_a_step_can_be_left_out_and_the_state_survives_a_copy(name: str) -> None:
    params = Optimiser(name=name, weight_decay=0.1)
    one, two = model(), model()
    optimisers = []
    for net in (one, two):
        trained = freeze(net, ())
        optimisers.append((new_optimiser(trained, params), trained))
        set_learning_rate(optimisers[-1][0], 0.1)

    def step(net: nn.Module, optimiser: torch.optim.Optimizer, skipped: float) -> None:
        for parameter in net.parameters():
            parameter.grad = torch.full_like(parameter, float("nan") if skipped else 0.5)
        optimiser.grad_scale, optimiser.found_inf = None, torch.tensor(skipped)
        optimiser.step()

    (first, trained), (second, others) = optimisers
    for skipped in (0.0, 1.0, 0.0):
        step(one, first, skipped)
    step(two, second, 0.0)
    fresh = new_optimiser(others, params)
    set_learning_rate(fresh, 0.1)
    restore_optimiser(fresh, others, optimiser_tensors(second, others))
    step(two, fresh, 0.0)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_the_largest_gradients_come_first() -> None:
    trained = freeze(net := model(), ())
    for i, parameter in enumerate(net.parameters()):
        parameter.grad = torch.full_like(parameter, float(i))
    names = [name for name, _ in largest_gradients(trained, count=2)]
    assert names == ["second.0.bias", "second.0.weight"]
