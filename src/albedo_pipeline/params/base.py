"""What all parameter models share."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["fp32", "bf16", "fp16"]


class Params(BaseModel):
    """Frozen, and closed to unknown keys: a misspelt key fails before the first node runs."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
