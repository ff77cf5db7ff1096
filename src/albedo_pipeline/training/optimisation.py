"""The optimiser, its parameter groups, and what is frozen."""

import re

import torch
from torch import nn

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.optimisation import Optimiser, ParameterGroup

Named = dict[str, nn.Parameter]


def ratio_of(name: str, groups: tuple[ParameterGroup, ...]) -> float:
    """Share of the learning rate that a parameter gets."""
    return next((group.ratio for group in groups if re.search(group.pattern, name)), 1.0)


def freeze(model: nn.Module, groups: tuple[ParameterGroup, ...]) -> Named:
    """Freeze the parameters of ratio 0; returns those that are trained, by name.

    Raises:
        ProjectError: where a pattern fits no parameter, or nothing is left to train.
    """
    for group in groups:
        fitting = [p for n, p in model.named_parameters() if re.search(group.pattern, n)]
        if not fitting or (group.ratio and not any(p.requires_grad for p in fitting)):
            raise ProjectError(
                f"train.optimiser.groups: pattern {group.pattern!r} fits no parameter that could "
                "be trained"
            )
    for name, parameter in model.named_parameters():
        if ratio_of(name, groups) == 0:
            parameter.requires_grad_(False)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not trained:
        raise ProjectError("train.optimiser.groups: every parameter is frozen")
    return trained


def train_mode(model: nn.Module) -> None:
    """Training mode, but eval mode for every part of which nothing is trained."""
    model.train()
    for part in model.modules():
        parameters = list(part.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            part.eval()


def new_optimiser(trained: Named, params: Optimiser) -> torch.optim.Optimizer:
    """One parameter group a ratio; the ratio stands in the group as `ratio`.

    Fused: one kernel, which can leave out a step on the device's own word (`found_inf`), so that
    nobody has to wait for it.
    """
    by_ratio: dict[float, list[nn.Parameter]] = {}
    for name, parameter in trained.items():
        by_ratio.setdefault(ratio_of(name, params.groups), []).append(parameter)
    groups = [{"params": ps, "ratio": ratio} for ratio, ps in by_ratio.items()]
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[params.name]
    return kind(groups, betas=params.betas, weight_decay=params.weight_decay, fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of the rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["ratio"]


def largest_gradients(
    trained: Named, scale: float = 1.0, count: int = 10
) -> list[tuple[str, float]]:
    """Names and norms of the largest gradients, falling; they are divided by `scale`."""
    norms = {name: p.grad.norm() / scale for name, p in trained.items() if p.grad is not None}
    values = torch.stack(list(norms.values())).tolist()
    return sorted(zip(norms, values, strict=True), key=lambda item: -item[1])[:count]


def optimiser_tensors(optimiser: torch.optim.Optimizer, trained: Named) -> dict[str, torch.Tensor]:
    """The optimiser's state as `<parameter>/<what>`; empty before the first step."""
    return {
        f"{name}/{what}": value
        for name, parameter in trained.items()
        for what, value in optimiser.state[parameter].items()
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer, trained: Named, tensors: dict[str, torch.Tensor]
) -> None:
    """Give back what `optimiser_tensors` took; other parts of the optimiser are settings."""
    for key, value in tensors.items():
        name, what = key.rsplit("/", 1)
        parameter = trained[name]
        like = parameter if value.shape == parameter.shape else value
        restored = torch.empty_like(like, device=parameter.device, dtype=value.dtype)
        optimiser.state[parameter][what] = restored.copy_(value)
