"""The classes of `torch.optim` that a training may use, by name, and their arguments."""

import inspect
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.optimisation import Optimiser

_FUSED = (torch.optim.Adam, torch.optim.AdamW)
"""Classes whose one kernel skips a step if `found_inf` says so. That of SGD would store a momentum
that is not initialised if its first step were skipped."""
_UNUSABLE = (
    torch.optim.Optimizer,
    torch.optim.LBFGS,
    torch.optim.SparseAdam,
    torch.optim.Adafactor,
    torch.optim.ASGD,
)
"""The base class, and classes that need several losses a step, or sparse gradients, or read numbers
in their step, which the plan's fake tensors do not have."""
_SETTINGS_OF_THEIR_OWN = ("betas", "eps", "weight_decay")
_NOT_OPTIONS = ("params", "lr", "foreach", "fused", "capturable", "differentiable", "maximize")
"""Arguments that are no settings: parameters, the learning rate, and how steps are computed."""


def optimiser_class(params: Optimiser, path: str) -> type[torch.optim.Optimizer]:
    """The class of `torch.optim` that `params.name` names; see `Skipping`.

    Raises:
        ProjectError: if torch has no such class, or it cannot train a network here.
    """
    classes = {
        name.lower(): kind
        for name, kind in vars(torch.optim).items()
        if isinstance(kind, type)
        and issubclass(kind, torch.optim.Optimizer)
        and kind not in _UNUSABLE
    }
    if params.name not in classes:
        raise ProjectError(
            f"{path}.optimiser.name: {params.name!r} is no class of torch.optim that can be used; "
            f"use one of {', '.join(sorted(classes))}"
        )
    kind = classes[params.name]
    return kind if kind in _FUSED else type(kind.__name__, (Skipping, kind), {})


def arguments(kind: type[torch.optim.Optimizer], params: Optimiser, path: str) -> dict[str, Any]:
    """The settings as keyword arguments of the class, for all parameter groups.

    Raises:
        ProjectError: if a setting is given that the class does not have.
    """
    known = [key for key in inspect.signature(kind).parameters if key not in _NOT_OPTIONS]
    settings = {"betas": params.betas, "eps": params.eps, "weight_decay": params.weight_decay}
    given = {key for key in settings if key in params.model_fields_set and settings[key]}
    given |= {"weight_decay" for group in params.groups if group.weight_decay}
    options = {f"options.{key}" for key in params.options if key in _SETTINGS_OF_THEIR_OWN}
    unknown = sorted(options | {key for key in given | params.options.keys() if key not in known})
    if unknown:
        raise ProjectError(
            f"{path}.optimiser: {params.name} takes no {unknown[0]!r}; it takes {', '.join(known)}"
        )
    own = {k: v for k, v in settings.items() if k in known and v is not None}
    return own | params.options | ({"fused": True} if kind in _FUSED else {})


class Skipping(torch.optim.Optimizer):
    """Gives a class of `torch.optim` what the fused kernel of Adam does.

    `step` divides the gradients by `grad_scale` and does nothing if `found_inf` is not 0. Asking
    for that waits for the device.
    """

    grad_scale: torch.Tensor | None = None
    """What the gradients of the next step are divided by, []."""
    found_inf: torch.Tensor | None = None
    """0, or 1 if the next step is skipped, []."""

    def step(self, closure: Any = None) -> Any:
        """Update the parameters, unless the step is skipped."""
        # A fake tensor has no value: the plan of the memory does every step.
        scale, found_inf = self.grad_scale, self.found_inf
        if found_inf is not None and not isinstance(found_inf, FakeTensor) and found_inf:
            return None
        if scale is not None:
            weights = [p for group in self.param_groups for p in group["params"]]
            torch._foreach_div_([p.grad for p in weights if p.grad is not None], scale)
        self.grad_scale = self.found_inf = None  # some classes raise an error if they are set
        return super().step(closure)
