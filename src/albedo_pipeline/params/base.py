"""What all parameter models share."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["fp32", "bf16", "fp16"]
TrainingPrecision = Literal["fp32", "bf16"]


class Params(BaseModel):
    """Frozen, and closed to unknown keys: a misspelt key fails before the first node runs."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class PretrainedModel(Params):
    """A diffusers repository of the Hub, or a local folder."""

    model: str
    """Hub id, or the path of a folder."""
    revision: str | None = None
    """Commit of the Hub repository; a number that is quoted needs it."""
