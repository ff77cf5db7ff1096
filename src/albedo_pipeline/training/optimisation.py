"""The optimiser, its parameter groups, and which parameters are frozen."""

import re

import torch
from torch import nn

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.ema import constant_decay, power_decay
from albedo_pipeline.params.optimisation import Ema, Optimiser, ParameterGroup
from albedo_pipeline.training.optimiser_classes import arguments, optimiser_class

Named = dict[str, nn.Parameter]
"""Parameters by name."""


def ratio_of(name: str, groups: tuple[ParameterGroup, ...]) -> float:
    """Factor of the learning rate for the parameter `name`."""
    return group_of(name, groups).ratio


def group_of(name: str, groups: tuple[ParameterGroup, ...]) -> ParameterGroup:
    """The first group whose pattern matches `name`; the one with nothing of its own if none is."""
    return next((g for g in groups if re.search(g.pattern, name)), ParameterGroup(pattern=""))


def freeze(model: nn.Module, groups: tuple[ParameterGroup, ...], path: str = "train") -> Named:
    """Freeze the parameters of ratio 0, and return those that are trained, by name.

    Args:
        model: what is trained.
        groups: learning rates by name.
        path: where the settings are, for errors.

    Raises:
        ProjectError: if a pattern matches no parameter, or nothing is left to train.
    """
    for group in groups:
        matching = [p for n, p in model.named_parameters() if re.search(group.pattern, n)]
        if not matching or (group.ratio and not any(p.requires_grad for p in matching)):
            raise ProjectError(
                f"{path}.optimiser.groups: pattern {group.pattern!r} matches no parameter that can "
                "be trained"
            )
    for name, parameter in model.named_parameters():
        if ratio_of(name, groups) == 0:
            parameter.requires_grad_(False)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not trained:
        raise ProjectError(f"{path}.optimiser.groups: every parameter is frozen")
    return trained


def train_mode(model: nn.Module) -> None:
    """Set training mode, but eval mode for every module that has only frozen parameters."""
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            module.eval()


def new_optimiser(trained: Named, params: Optimiser, path: str = "train") -> torch.optim.Optimizer:
    """The optimiser with one parameter group for each ratio and weight decay.

    A group holds its ratio as `ratio`. The optimiser divides the gradients by its attribute
    `grad_scale`, and skips a step if the tensor `found_inf` is not 0; the fused kernel of Adam does
    that without a transfer to the host.

    Args:
        trained: the parameters, by name.
        params: settings of the optimiser.
        path: where the settings are, for errors.

    Raises:
        ProjectError: if torch has no such optimiser, or it does not accept the settings.
    """
    kind = optimiser_class(params, path)
    common = arguments(kind, params, path)
    by_values: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in trained.items():
        group = group_of(name, params.groups)
        decay = params.weight_decay if group.weight_decay is None else group.weight_decay
        by_values.setdefault((group.ratio, decay), []).append(parameter)
    groups = [
        {"params": parameters, "ratio": ratio}
        | ({"weight_decay": decay} if "weight_decay" in common else {})
        for (ratio, decay), parameters in by_values.items()
    ]
    try:
        return kind(groups, **common)
    except (TypeError, ValueError) as error:
        raise ProjectError(f"{path}.optimiser: torch.optim.{kind.__name__}: {error}") from error


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group: `rate` times the group's ratio."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["ratio"]


def ema_decay(params: Ema, step: int) -> float:
    """Decay of the moving average at its update number `step` (0-based)."""
    if params.profile == "power":
        return power_decay(params.relative_width, step)
    return constant_decay(params.decay, step)


def largest_gradients(
    trained: Named, scale: float = 1.0, count: int = 10
) -> list[tuple[str, float]]:
    """Names and norms of the `count` largest gradients, largest first, divided by `scale`."""
    norms = {name: p.grad.norm() / scale for name, p in trained.items() if p.grad is not None}
    values = torch.stack(list(norms.values())).tolist()
    return sorted(zip(norms, values, strict=True), key=lambda item: -item[1])[:count]


def optimiser_tensors(optimiser: torch.optim.Optimizer, trained: Named) -> dict[str, torch.Tensor]:
    """The optimiser's state tensors as `<parameter>/<name>`; before the first step mostly none."""
    return {
        f"{name}/{key}": value
        for name, parameter in trained.items()
        for key, value in optimiser.state[parameter].items()
        if isinstance(value, torch.Tensor)  # SGD without momentum has None
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer, trained: Named, tensors: dict[str, torch.Tensor]
) -> None:
    """Restore what `optimiser_tensors` returned; the rest of the optimiser comes from settings.

    Tensors of other parameters are ignored.
    """
    for path, value in tensors.items():
        name, key = path.rsplit("/", 1)
        if name not in trained:
            continue
        parameter = trained[name]
        like = parameter if value.shape == parameter.shape else value
        restored = torch.empty_like(like, device=parameter.device, dtype=value.dtype)
        optimiser.state[parameter][key] = restored.copy_(value)
