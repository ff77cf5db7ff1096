"""Settings of `verify`."""

from typing import Literal

from albedo_pipeline.params.base import Params


class VerifyParams(Params):
    """Which exported model is checked, and on which device."""

    model: str | None = None
    """Exported folder, or Hub id of an export that was uploaded; null: the project's own export."""
    revision: str | None = None
    """Commit of the Hub repository; null: the newest one."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """Where the networks run."""
