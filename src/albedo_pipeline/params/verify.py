"""Settings of `verify`."""

from typing import Literal

from albedo_pipeline.params.base import Params


class VerifyParams(Params):
    """Which exported model is checked, and on which device."""

    model: str | None = None
    """Exported folder; null: the project's own export."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """Where the networks run."""
