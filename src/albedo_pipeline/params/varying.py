"""Settings that change with the optimiser step."""

from typing import Annotated

from pydantic import AfterValidator, Field

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _ends_after_its_start(value: "Varying") -> "Varying":
    if isinstance(value, tuple) and value[0] >= value[3]:
        raise ValueError("[start_step, start, end, end_step] needs end_step after start_step")
    return value


Varying = Annotated[
    Amount | tuple[Annotated[int, Field(ge=0)], Amount, Amount, int],
    AfterValidator(_ends_after_its_start),
]
"""A number, or `[start_step, start, end, end_step]`: `start` until `start_step`, then a straight
line to `end` at `end_step`, and `end` from there on. See `training.schedules.value_at`."""
