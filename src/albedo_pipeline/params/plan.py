"""Settings of `plan`."""

from pydantic import Field, PositiveFloat

from albedo_pipeline.params.base import Params


class Card(Params):
    """A GPU, as its maker describes it."""

    memory: float = Field(gt=0)
    """Memory, GiB."""
    bf16: PositiveFloat
    """Dense bf16 and fp16 products with float32 sums, TFLOP/s."""
    tf32: PositiveFloat
    """Dense TF32 products, TFLOP/s."""
    fp32: PositiveFloat
    """Float32 without tensor cores, TFLOP/s."""


CARDS = {
    # NVIDIA, "Ampere GA102 GPU Architecture", table 10
    "RTX 3090": Card(memory=24, bf16=71, tf32=35.6, fp32=35.6),
    # NVIDIA, "Ada GPU Architecture", appendix A
    "RTX 4090": Card(memory=24, bf16=165.2, tf32=82.6, fp32=82.6),
    # NVIDIA, "RTX Blackwell GPU Architecture", appendix A
    "RTX 5090": Card(memory=32, bf16=209.5, tf32=104.8, fp32=104.8),
    # The data sheets of the products; a rate that stands there "with sparsity" is halved.
    "L40S": Card(memory=48, bf16=362, tf32=183, fp32=91.6),
    "A100 80GB": Card(memory=80, bf16=312, tf32=156, fp32=19.5),
    "H100 SXM": Card(memory=80, bf16=989, tf32=494, fp32=67),
    "H200 SXM": Card(memory=141 * 1e9 / 2**30, bf16=989, tf32=494, fp32=67),
}
"""Published figures of cards that many people train on."""


class PlanParams(Params):
    """What a plan assumes of the machine."""

    utilisation: float = Field(0.4, gt=0, le=1)
    """Share of a card's published rate that the training reaches. It is an assumption: measure
    yours with `benchmarks/train_step.py`."""
    cards: dict[str, Card] = CARDS
    """The cards that the plan names, by name."""
