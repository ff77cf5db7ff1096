"""Stored weights => a network, by name; with a report of what was loaded and what was not."""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.loading import DEFAULT_LOADING, WeightLoading
from albedo_pipeline.runtime.checksums import verified

logger = logging.getLogger(__name__)
_WEIGHTS = "diffusion_pytorch_model"
"""Name of a model's weights in diffusers, without the ending."""
_SHOWN = 3
"""Number of names that a line of the log shows of each kind."""
_OLD_ATTENTION = {
    ".to_q.": ".query.",
    ".to_k.": ".key.",
    ".to_v.": ".value.",
    ".to_out.0.": ".proj_attn.",
}
"""Names in attention, and those that models of diffusers before 0.14 have, such as the autoencoder
of Stable Diffusion."""


@dataclass(frozen=True)
class LoadReport:
    """What became of each weight, by names of the network."""

    loaded: tuple[str, ...]
    """Weights that have the stored values."""
    ignored: tuple[str, ...] = ()
    """Weights that the settings leave as they are."""
    missing: tuple[str, ...] = ()
    """Weights that are not stored."""
    other_shape: tuple[str, ...] = ()
    """Weights that are stored with another shape; each with both shapes."""
    unused: tuple[str, ...] = ()
    """Stored weights that are not in the network, by their stored names."""

    def summary(self) -> str:
        """Counts, and the first few names of what was not loaded, in one line."""
        others = {
            "ignored": self.ignored,
            "missing": self.missing,
            "of another shape": self.other_shape,
            "stored but not in the network": self.unused,
        }
        parts = [f"{len(n)} {kind} ({_first(n)})" for kind, n in others.items() if n]
        return ", ".join([f"{len(self.loaded)} weights loaded", *parts])


def load_network(
    model_class: Any,
    source: PretrainedModel,
    subfolder: str | None,
    params: WeightLoading,
    key: str,
    path: str,
) -> Any:
    """Load a diffusers model of the Hub or of a local folder; safetensors only, float32.

    Weights that `params` ignores are drawn from torch's global generator.

    Args:
        model_class: class of the model.
        source: where it is.
        subfolder: subfolder that holds it; None is the top folder.
        params: how names and parts differ.
        key: setting that names the model, for errors.
        path: where `params` is in the parameters, for errors.

    Raises:
        ProjectError: if the model cannot be loaded, or a weight is missing or has another shape;
            names the model.
    """
    name = f"{key} {source.model}"
    place = {"subfolder": subfolder, "revision": source.revision}
    with verified(Path(source.model), within=subfolder or ""):
        try:
            if params == DEFAULT_LOADING:
                network, keys = model_class.from_pretrained(
                    source.model,
                    use_safetensors=True,
                    torch_dtype=torch.float32,
                    output_loading_info=True,
                    **place,
                )
                report = _report_of_diffusers(network, keys)
            else:
                network = model_class.from_config(model_class.load_config(source.model, **place))
                report = fill(network, _stored(source, subfolder), params, name, path)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ProjectError(f"{name}: {one_line(error)}") from error
    _check(report, name, path)
    logger.info("%s: %s", name, report.summary())
    return network


def refill(network: Any, params: WeightLoading, name: str, path: str) -> Any:
    """A network of the same configuration whose weights are mapped from another one's.

    Weights that `params` ignores are drawn from torch's global generator.

    Raises:
        ProjectError: if a weight is missing or has another shape; begins with `name`.
    """
    if params == DEFAULT_LOADING:
        return network
    new = type(network).from_config(network.config)
    report = fill(new, network.state_dict(), params, name, path)
    _check(report, name, path)
    logger.info("%s: %s", name, report.summary())
    return new


@torch.no_grad()
def fill(
    network: nn.Module,
    stored: Mapping[str, torch.Tensor],
    params: WeightLoading,
    name: str,
    path: str,
) -> LoadReport:
    """Copy the stored weights that fit into a network, and report on all of them.

    Args:
        network: what is changed.
        stored: weights by their stored names.
        params: how names and parts differ.
        name: names the model, for errors.
        path: where `params` is in the parameters, for errors.

    Raises:
        ProjectError: if an entry of `map` or `ignore` fits no name of the network.
    """
    weights = network.state_dict()
    _check_fits(params, weights, name, path)
    kinds: dict[str, list[str]] = {"loaded": [], "ignored": [], "missing": [], "other_shape": []}
    used = set()
    for own, weight in weights.items():
        source = _stored_name(own, stored, params.map)
        used.add(source)
        if any(re.search(pattern, own) for pattern in params.ignore):
            kinds["ignored"].append(own)
        elif source is None:
            kinds["missing"].append(own)
        elif stored[source].shape != weight.shape:
            shapes = f"{list(stored[source].shape)} there, {list(weight.shape)} here"
            kinds["other_shape"].append(f"{own}: {shapes}")
        else:
            weight.copy_(stored[source])
            kinds["loaded"].append(own)
    unused = tuple(sorted(stored.keys() - used))
    return LoadReport(**{kind: tuple(names) for kind, names in kinds.items()}, unused=unused)


def _stored_name(own: str, stored: Mapping[str, Any], mapped: Mapping[str, str]) -> str | None:
    """The stored name of the network's weight `own`; None if it is not stored."""
    fitting = [beginning for beginning in mapped if own.startswith(beginning)]
    if fitting:
        longest = max(fitting, key=len)
        own = mapped[longest] + own[len(longest) :]
    old = own
    for new_part, old_part in _OLD_ATTENTION.items():
        old = old.replace(new_part, old_part)
    return next((candidate for candidate in (own, old) if candidate in stored), None)


def _check_fits(params: WeightLoading, names: Mapping[str, Any], name: str, path: str) -> None:
    for beginning in params.map:
        if not any(own.startswith(beginning) for own in names):
            raise ProjectError(
                f"{path}.map: no weight of {name} begins with {beginning!r}; the first one is "
                f"{next(iter(names))}"
            )
    for pattern in params.ignore:
        if not any(re.search(pattern, own) for own in names):
            raise ProjectError(f"{path}.ignore: {pattern!r} matches no weight of {name}")


def _check(report: LoadReport, name: str, path: str) -> None:
    """Raise ProjectError if nothing was loaded, or something is missing or of another shape."""
    if not report.loaded:
        raise ProjectError(
            f"{name}: no weight fits ({report.summary()}); name the beginnings of both sides in "
            f"{path}.map"
        )
    wrong = {"missing": report.missing, "of another shape": report.other_shape}
    found = [f"{len(names)} {kind} ({_first(names)})" for kind, names in wrong.items() if names]
    if found:
        raise ProjectError(
            f"{name}: weights that do not fit: {', '.join(found)}; give their stored names in "
            f"{path}.map, or let them begin at random with {path}.ignore"
        )


def _report_of_diffusers(network: nn.Module, keys: dict[str, Any]) -> LoadReport:
    """The report of a model that `from_pretrained` loaded."""
    # A missing weight stays on torch's device `meta`, without values.
    state = network.state_dict()
    missing = tuple(name for name, weight in state.items() if weight.is_meta)
    loaded = tuple(name for name in state if name not in missing)
    return LoadReport(loaded, missing=missing, unused=tuple(sorted(keys["unexpected_keys"])))


def _stored(source: PretrainedModel, subfolder: str | None) -> dict[str, torch.Tensor]:
    """The stored weights of a model, by name.

    Raises:
        OSError: if there are none, or the Hub cannot be reached.
    """
    folder = Path(source.model)
    if not folder.is_dir():
        inner = f"{subfolder}/" if subfolder else ""
        patterns = [
            f"{inner}{_WEIGHTS}{end}" for end in ("*.safetensors", ".safetensors.index.json")
        ]
        folder = Path(
            snapshot_download(source.model, revision=source.revision, allow_patterns=patterns)
        )
    folder = folder / (subfolder or "")
    index, single = (
        folder / f"{_WEIGHTS}.safetensors.index.json",
        folder / f"{_WEIGHTS}.safetensors",
    )
    if not index.is_file():
        return load_file(single)
    files = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
    return {n: w for file in sorted(set(files)) for n, w in load_file(folder / file).items()}


def _first(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
