"""Low-rank adapters (Hu et al. 2022), through peft."""

from typing import Any

from diffusers import UNet2DConditionModel
from peft import LoraConfig

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params.denoiser import Lora


def add_lora(unet: UNet2DConditionModel, params: Lora) -> UNet2DConditionModel:
    """Add adapters, which change nothing at first, and freeze the rest except `train_also`.

    Draws from torch's global generator.

    Raises:
        ProjectError: if a name matches no module.
    """
    config = LoraConfig(
        r=params.rank,
        lora_alpha=params.alpha,  # type: ignore[arg-type]
        target_modules=list(params.target_modules),
        init_lora_weights="gaussian",
    )
    modules = dict(unet.named_modules())
    for ending in params.train_also:
        if not any(_ends(name, ending) for name in modules):
            raise ProjectError(f"train.lora.train_also: the UNet has no module {ending!r}")
    try:
        unet.add_adapter(config)
    except ValueError as error:
        raise ProjectError(f"train.lora.target_modules: {one_line(error)}") from error
    for name, module in modules.items():
        if any(_ends(name, ending) for ending in params.train_also):
            module.requires_grad_(True)
    return unet


def has_lora(unet: UNet2DConditionModel) -> bool:
    """Whether the UNet has adapters."""
    return bool(getattr(unet, "peft_config", None))


def without_lora(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy of the UNet without adapters; modules of `train_also` keep their trained weights."""
    plain = UNet2DConditionModel.from_config(unet.config)
    weights = {
        name.replace(".base_layer.", "."): weight
        for name, weight in unet.state_dict().items()
        if ".lora_" not in name
    }
    plain.load_state_dict(weights)
    return plain.eval()


def merge_lora(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy with the adapters merged into the weights: W + alpha / rank B A."""
    merged = without_lora(unet)
    sums: dict[str, Any] = {n: m for n, m in unet.named_modules() if hasattr(m, "get_delta_weight")}
    for name, module in sums.items():
        weight = merged.get_submodule(name).get_parameter("weight")
        for adapter in module.active_adapters:  # a loaded adapter has another name than a new one
            weight.data.add_(module.get_delta_weight(adapter).to(weight))
    return merged


def _ends(name: str, ending: str) -> bool:
    return name == ending or name.endswith("." + ending)
