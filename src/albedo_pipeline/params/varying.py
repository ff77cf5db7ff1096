"""Settings that change with the optimiser step."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A number that is not negative."""
Share = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1."""


def _ends_after_its_start(value: Any) -> Any:
    if isinstance(value, tuple) and value[0] >= value[3]:
        raise ValueError("[start_step, start, end, end_step] needs end_step after start_step")
    return value


Varying = Annotated[
    Amount | tuple[Annotated[int, Field(ge=0)], Amount, Amount, int],
    AfterValidator(_ends_after_its_start),
]
"""A number, or `[start_step, start, end, end_step]`: `start` until `start_step`, then a straight
line to `end` at `end_step`, and `end` from there on. See `training.schedules.value_at`."""
VaryingShare = Annotated[
    Share | tuple[Annotated[int, Field(ge=0)], Share, Share, int],
    AfterValidator(_ends_after_its_start),
]
"""As `Varying`, from 0 to 1."""
