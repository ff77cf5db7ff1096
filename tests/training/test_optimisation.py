"""Parameter groups, frozen modules, and skipped steps."""

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


def test_the_first_pattern_that_matches_gives_the_ratio() -> None:
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


def test_frozen_modules_stay_in_eval_mode() -> None:
    trained = freeze(net := model(), groups(first=0))
    train_mode(net)
    assert set(trained) == {"second.0.weight", "second.0.bias"}
    assert not any(module.training for module in net["first"].modules())
    assert all(module.training for module in net["second"].modules())


def test_a_pattern_that_matches_nothing_is_named() -> None:
    with pytest.raises(ProjectError, match="pattern 'third' matches no parameter that"):
        freeze(model(), groups(third=1))
    with pytest.raises(ProjectError, match="every parameter is frozen"):
        freeze(model(), groups(first=0, second=0))


def test_groups_have_a_weight_decay_of_their_own() -> None:
    none, some = (
        ParameterGroup(pattern=p, weight_decay=d) for p, d in (("bias", 0), ("second", 0.3))
    )
    params = Optimiser(name="AdamW", weight_decay=0.1, eps=1e-6, groups=(none, some))
    optimiser = new_optimiser(freeze(net := model(), params.groups), params)
    decays = {id(p): g["weight_decay"] for g in optimiser.param_groups for p in g["params"]}
    assert [decays[id(p)] for p in net.parameters()] == [0.1, 0.0, 0.3, 0.0]
    assert {group["eps"] for group in optimiser.param_groups} == {1e-6}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "lbfgs"}, r"train\.optimiser\.name: 'lbfgs' is no class .* adadelta, adagrad"),
        ({"name": "sgd", "betas": (0.9, 0.9)}, r"sgd takes no 'betas'; it takes momentum, damp"),
        ({"name": "rprop", "weight_decay": 0.1}, "rprop takes no 'weight_decay'; it takes etas"),
        ({"name": "sgd", "options": {"lr": 0.1}}, "sgd takes no 'lr'"),
        ({"name": "adam", "options": {"eps": 0.1}}, "adam takes no 'options.eps'"),
        ({"name": "sgd", "options": {"momentum": -1}}, "torch.optim.SGD: Invalid momentum value"),
        ({"name": "muon"}, "torch.optim.Muon: Muon only supports 2D parameters"),
    ],
)
def test_settings_that_an_optimiser_does_not_take_are_named(settings, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        new_optimiser(freeze(model(), ()), Optimiser(**settings))


NAMES = [
    *("adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "radam"),
    *("rmsprop", "rprop", "sgd"),
]


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}])
def test_an_optimiser_does_the_steps_of_torch(options: dict) -> None:
    """Gradients are divided by `grad_scale` first."""
    one, two = model(), model()
    ours = new_optimiser(freeze(one, ()), Optimiser(name="SGD", weight_decay=0.1, options=options))
    theirs = torch.optim.SGD(two.parameters(), lr=0.1, weight_decay=0.1, **options)
    set_learning_rate(ours, 0.1)
    for _ in range(3):
        ours.grad_scale, ours.found_inf = torch.tensor(4.0), torch.tensor(0.0)
        for net, gradient in ((one, 2.0), (two, 0.5)):
            for parameter in net.parameters():
                parameter.grad = torch.full_like(parameter, gradient)
        ours.step()
        theirs.step()
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_step_can_be_skipped_and_the_state_restored(name: str) -> None:
    params = Optimiser(name=name, weight_decay=0.0 if name == "rprop" else 0.1)
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
