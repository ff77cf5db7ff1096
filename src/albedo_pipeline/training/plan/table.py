"""The plan as a table for the log, and as JSON."""

import logging
from collections.abc import Sequence
from typing import Any

from albedo_pipeline.params import AutoencoderParams, IngestParams, PlanParams, TrainParams
from albedo_pipeline.params.plan import Card
from albedo_pipeline.training.plan.estimate import Plan, make_plan, micro_batch_sizes
from albedo_pipeline.training.plan.fake_autoencoder import fake_autoencoder_training
from albedo_pipeline.training.plan.from_settings import (
    autoencoder_networks_of_settings,
    networks_of_settings,
)
from albedo_pipeline.training.plan.networks import Networks

logger = logging.getLogger(__name__)
_GIB = 2**30
_MISSING = "–"


def plan_of_settings(
    train: TrainParams, autoencoder: AutoencoderParams, ingest: IngestParams, params: PlanParams
) -> dict[str, Any]:
    """Plan the trainings for one GPU from their settings, log the tables, and return the result.

    The plan of the autoencoder's training is under `autoencoder`, null if none is trained.

    Raises:
        ProjectError: if the configuration of a model cannot be read, or does not fit.
    """
    networks = networks_of_settings(train, autoencoder, ingest)
    sizes = micro_batch_sizes(train)
    plan = make_plan(networks, train, "cuda", sizes, (False, True), train.max_steps)
    result = plan_result(plan, networks, train, params)
    logger.info("plan for one GPU:\n%s", "\n".join(plan_lines(result)))
    return result | {"autoencoder": plan_of_autoencoder(autoencoder, ingest, params)}


def plan_of_autoencoder(
    autoencoder: AutoencoderParams, ingest: IngestParams, params: PlanParams
) -> dict[str, Any] | None:
    """Plan the autoencoder's training for one GPU, and log the table; None if none is trained.

    Raises:
        ProjectError: if the configuration of a model cannot be read, or does not fit.
    """
    training = autoencoder.training
    if training is None or not autoencoder.is_trained:
        return None
    networks = autoencoder_networks_of_settings(autoencoder, ingest)
    sizes, steps = micro_batch_sizes(training), training.max_steps
    make = fake_autoencoder_training
    plan = make_plan(networks, training, "cuda", sizes, (False, True), steps, new_training=make)
    what: dict[str, Any] = {
        "trains": training.train,
        "precision": autoencoder.precision,
        "effective_batch_size": training.effective_batch_size,
        "image_shape": [3, networks.side, networks.side],
    }
    if training.loss.lpips_weight:
        what["left_out"] = ["LPIPS"]
    result = _result(what, plan, steps, params)
    logger.info("plan of the autoencoder for one GPU:\n%s", "\n".join(plan_lines(result)))
    return result


def plan_result(
    plan: Plan, networks: Networks, params: TrainParams, assumed: PlanParams
) -> dict[str, Any]:
    """The plan as JSON; what is not known or does not fit is null."""
    what = {
        "objective": params.objective,
        "precision": params.precision,
        "effective_batch_size": params.effective_batch_size,
        "latent_shape": [networks.latent_channels, *networks.size],
    }
    return _result(what, plan, params.max_steps, assumed)


def _result(
    what: dict[str, Any], plan: Plan, max_steps: int | None, assumed: PlanParams
) -> dict[str, Any]:
    """The plan as JSON.

    Args:
        what: what is trained, with `precision` and `effective_batch_size`.
    """
    return what | {
        "parameters": plan.parameters,
        "trained_parameters": plan.trained,
        "steps": [
            {
                "gradient_checkpointing": cost.gradient_checkpointing,
                "tflop_per_sample": cost.flops / 1e12,
                "standing_gib": cost.standing / _GIB,
                "peak_gib": {str(size): peak / _GIB for size, peak in cost.peaks.items()},
            }
            for cost in plan.costs
        ],
        "checkpoints": {
            "gib_each": plan.checkpoint_bytes / _GIB,
            "largest_number": plan.checkpoints,
            "gib": plan.disk / _GIB,
        },
        "max_steps": max_steps,
        "utilisation": assumed.utilisation,
        "cards": {name: _on_card(what, plan, max_steps, assumed, name) for name in assumed.cards},
    }


def _on_card(
    what: dict[str, Any], plan: Plan, max_steps: int | None, assumed: PlanParams, name: str
) -> dict[str, Any]:
    """The largest micro-batch on a card, and the hours of the first way that fits."""
    card = assumed.cards[name]
    largest = {c.gradient_checkpointing: c.largest_fitting(card.memory * _GIB) for c in plan.costs}
    fitting = [c for c in plan.costs if largest[c.gradient_checkpointing] is not None]
    taken = None
    if fitting and max_steps:
        flops = fitting[0].flops * what["effective_batch_size"] * max_steps
        taken = hours(what["precision"], flops, card, assumed.utilisation)
    return {
        "memory_gib": card.memory,
        "micro_batch_size": largest.get(False),
        "micro_batch_size_with_gradient_checkpointing": largest.get(True),
        "hours": taken,
    }


def hours(precision: str, flops: float, card: Card, utilisation: float) -> float:
    """Hours of so many floating-point operations on one card."""
    rates = {"fp32": card.fp32, "tf32": card.tf32, "bf16": card.bf16, "fp16": card.bf16}
    return flops / (rates[precision] * 1e12 * utilisation) / 3600


def plan_lines(result: dict[str, Any]) -> list[str]:
    """The lines that the log shows of `plan_result`."""
    channels, height, width = result.get("latent_shape") or result["image_shape"]
    what = (
        f"objective {result['objective']}, {result['precision']}, latents"
        if "objective" in result
        else f"trains {result['trains']}, {result['precision']}, images"
    )
    plain, checkpointed = result["steps"]
    kept = result["checkpoints"]
    head = (
        f"{result['parameters'] / 1e6:.1f} M parameters, "
        f"{result['trained_parameters'] / 1e6:.1f} M "
        f"trained; {what} of {channels} x {height} x {width}"
    )
    memory = [
        ("memory, GiB", "plain", "gradient checkpointing"),
        ("between two steps", *(f"{s['standing_gib']:.1f}" for s in (plain, checkpointed))),
        *(
            (f"micro-batch {size}", f"{peak:.1f}", f"{checkpointed['peak_gib'][size]:.1f}")
            for size, peak in plain["peak_gib"].items()
        ),
        ("TFLOP per sample", *(f"{s['tflop_per_sample']:.3g}" for s in (plain, checkpointed))),
    ]
    cards = [("largest micro-batch on", "plain", "gradient checkpointing", "hours")]
    for name, card in result["cards"].items():
        cards.append(
            (
                f"{name}, {card['memory_gib']:.0f} GiB",
                _or_missing(card["micro_batch_size"]),
                _or_missing(card["micro_batch_size_with_gradient_checkpointing"]),
                _or_missing(card["hours"], ".3g"),
            )
        )
    return [
        head,
        *_aligned(memory),
        *_aligned(cards),
        f"hours: {_or_missing(result['max_steps'])} steps of {result['effective_batch_size']} "
        f"samples at {result['utilisation']:.0%} of the card's published rate; plain, if that fits",
        f"checkpoints: {kept['gib_each']:.3g} GiB each, at most {kept['largest_number']} together, "
        f"{kept['gib']:.3g} GiB",
        *(f"not in these figures: {part} in the loss" for part in result.get("left_out", [])),
    ]


def _or_missing(value: float | None, format_spec: str = "") -> str:
    return _MISSING if value is None else format(value, format_spec)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows as lines: the first column to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
