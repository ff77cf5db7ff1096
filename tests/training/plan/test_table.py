"""The plan as JSON and as a table."""

import json

import pytest

from albedo_pipeline.params import PlanParams, TrainParams
from albedo_pipeline.params.plan import CARDS, Card
from albedo_pipeline.training.plan.estimate import Plan, StepCost
from albedo_pipeline.training.plan.networks import Networks
from albedo_pipeline.training.plan.table import hours, plan_lines, plan_result
from tests.support.training import SETTINGS

GIB = 2**30
NETWORKS = Networks(unet={}, autoencoder={"latent_channels": 4}, size=(64, 64))
PLAN = Plan(
    parameters=2_000_000,
    trained=1_000_000,
    checkpoint_bytes=3 * GIB,
    checkpoints=4,
    disk=9 * GIB,
    costs=(
        StepCost(False, 2e12, 5 * GIB, {1: 20 * GIB, 4: 30 * GIB}),
        StepCost(True, 3e12, 5 * GIB, {1: 8 * GIB, 4: 20 * GIB}),
    ),
)
CARD = {"bf16": 100, "tf32": 50, "fp32": 25}
ASSUMED = PlanParams(
    utilisation=0.5,
    cards={
        "small": Card(memory=4, **CARD),
        "middle": Card(memory=10, **CARD),
        "large": Card(memory=24, **CARD),
    },
)


def params(**changes) -> TrainParams:
    return TrainParams.model_validate(SETTINGS | {"max_steps": 450_000} | changes)


def test_a_card_has_its_sizes_and_the_hours_of_the_first_way_that_fits() -> None:
    cards = plan_result(PLAN, NETWORKS, params(), ASSUMED)["cards"]
    of = {name: [*card.values()][1:] for name, card in cards.items()}
    # 450,000 steps of 4 samples of 2 or 3 TFLOP, at 12.5 TFLOP/s
    assert of == {
        "small": [None, None, None],
        "middle": [None, 1, pytest.approx(120.0)],
        "large": [1, 4, pytest.approx(80.0)],
    }


@pytest.mark.parametrize(
    ("precision", "expected"), [("fp32", 80), ("tf32", 40), ("bf16", 20), ("fp16", 20)]
)
def test_hours_follow_the_precision(precision: str, expected: float) -> None:
    card = Card(memory=1, **CARD)
    assert hours(precision, 2e12 * 4 * 450_000, card, 0.5) == pytest.approx(expected)


def test_without_max_steps_there_are_no_hours() -> None:
    result = plan_result(PLAN, NETWORKS, params(max_steps=None, max_epochs=2), ASSUMED)
    assert [card["hours"] for card in result["cards"].values()] == [None] * 3
    assert any("–" in line for line in plan_lines(result))


def test_the_table_has_a_row_for_each_size_and_card() -> None:
    result = plan_result(PLAN, NETWORKS, params(), ASSUMED)
    assert json.loads(json.dumps(result)) == result
    assert plan_lines(result) == [
        "2.0 M parameters, 1.0 M trained; objective diffusion, fp32, latents of 4 x 64 x 64",
        "memory, GiB        plain  gradient checkpointing",
        "between two steps    5.0                     5.0",
        "micro-batch 1       20.0                     8.0",
        "micro-batch 4       30.0                    20.0",
        "TFLOP per sample       2                       3",
        "largest micro-batch on  plain  gradient checkpointing  hours",
        "small, 4 GiB                –                       –      –",
        "middle, 10 GiB              –                       1    120",
        "large, 24 GiB               1                       4     80",
        "hours: 450000 steps of 4 samples at 50% of the card's published rate; plain, if that fits",
        "checkpoints: 3 GiB each, at most 4 together, 9 GiB",
    ]


def test_faster_formats_are_faster_on_every_card() -> None:
    for card in CARDS.values():
        assert card.bf16 > card.tf32 >= card.fp32
